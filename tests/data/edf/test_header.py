"""Headers of EDF files, and how every unusable one is refused."""

import os
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from edfio import Edf, EdfAnnotation, EdfSignal

from sleepsweep.data.edf.header import read_header
from sleepsweep.data.edf.writing import write_hypnogram, write_psg
from sleepsweep.errors import UserError

START = datetime(1989, 4, 24, 16, 13)
NOBODY = 65534
Change = Callable[[bytes], bytes]


@pytest.fixture
def psg(tmp_path: Path) -> Path:
    """A minute of two signals at 50 Hz."""
    path = tmp_path / "a.edf"
    write_psg(path, np.random.default_rng(0).normal(size=(2, 3000)), ["C3", "C4"], 50, START)
    return path


def test_what_is_read(psg: Path) -> None:
    header = read_header(psg)
    assert (header.start, header.duration_s, header.has_annotations) == (START, 60.0, False)
    assert [(s.label, s.unit, s.sfreq) for s in header.signals] == [
        ("C3", "uV", 50.0),
        ("C4", "uV", 50.0),
    ]


def test_annotations_are_no_signal(tmp_path: Path) -> None:
    write_hypnogram(tmp_path / "a.edf", [0, 1], 30, START)
    header = read_header(tmp_path / "a.edf")
    assert header.has_annotations
    assert (header.signals, header.duration_s, header.start) == ((), 0.0, START)


def test_a_withheld_date_is_none(tmp_path: Path) -> None:
    Edf([EdfSignal(np.arange(100.0), 10, label="C3")]).write(tmp_path / "a.edf")
    assert read_header(tmp_path / "a.edf").start is None


def test_signals_of_their_own_rates(tmp_path: Path) -> None:
    signals = [EdfSignal(np.arange(10.0 * rate), rate, label=f"{rate} Hz") for rate in (100, 1)]
    Edf(signals, annotations=[EdfAnnotation(0, 1, "W")]).write(tmp_path / "a.edf")
    assert [signal.sfreq for signal in read_header(tmp_path / "a.edf").signals] == [100, 1]


def put(place: int, text: bytes) -> Change:
    return lambda contents: contents[:place] + text + contents[place + len(text) :]


HOSTILE: dict[str, tuple[Change, str]] = {
    "empty": (lambda contents: b"", r"is empty \(0 bytes\)"),
    "a few bytes": (lambda contents: contents[:100], r"cut short within its header \(100 bytes\)"),
    "half a header": (lambda contents: contents[:300], r"cut short within its header \(300 bytes"),
    "truncated": (
        lambda contents: contents[:-1000],
        r"cut short: its header promises 60 records of 1 s, the file holds 55",
    ),
    "another format": (lambda contents: b"\x93NUMPY" * 100, "is not an EDF, EDF\\+ or BDF file"),
    "no signals": (put(252, b"0   "), r"contradicts itself \(0 signals\)"),
    "other signals": (put(252, b"7   "), r"contradicts itself \(7 signals\)"),
    "no number": (put(236, b"many    "), "the field 'records' is 'many', not a number"),
    "no time": (put(244, b"0       "), "gives records of 0 s"),
    "discontinuous": (put(192, b"EDF+D"), "is discontinuous"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file(psg: Path, case: str) -> None:
    change, message = HOSTILE[case]
    psg.write_bytes(change(psg.read_bytes()))
    with pytest.raises(UserError, match=message) as caught:
        read_header(psg)
    assert str(caught.value).startswith(f"{psg}: ")
    assert "\n" not in str(caught.value)


def test_a_recording_that_was_never_closed_lasts_as_long_as_its_file(psg: Path) -> None:
    psg.write_bytes(put(236, b"-1      ")(psg.read_bytes())[:-200])
    assert read_header(psg).duration_s == 59.0


def test_what_stands_behind_the_last_record_is_left(psg: Path) -> None:
    psg.write_bytes(psg.read_bytes() + bytes(1000))
    assert read_header(psg).duration_s == 60.0


def test_missing_and_unreadable(tmp_path: Path, psg: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_header(tmp_path / "b.edf")
    (tmp_path / "folder.edf").mkdir()
    with pytest.raises(UserError, match=r"cannot be read .*directory.*may read it"):
        read_header(tmp_path / "folder.edf")


def test_no_permission(psg: Path) -> None:
    psg.chmod(0)
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(NOBODY)  # root may read every file, whatever its permissions
    try:
        with pytest.raises(UserError, match=r"cannot be read \(Permission denied\)"):
            read_header(psg)
    finally:
        os.seteuid(mine)


def test_a_header_is_read_without_a_warning(psg: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_header(psg)
