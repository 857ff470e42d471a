"""Headers of EDF files, and how every unusable one is refused."""

import os
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import mne
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


@pytest.mark.parametrize("promised", [b"30      ", b"-1      ", b"0       "])
def test_all_that_the_file_holds_is_read_whatever_its_header_counts(
    psg: Path, promised: bytes
) -> None:
    psg.write_bytes(put(236, promised)(psg.read_bytes()))
    assert read_header(psg).duration_s == 60.0
    assert len(mne.io.read_raw_edf(psg, verbose="ERROR").times) == 3000


def test_a_decimal_comma_is_a_point(psg: Path) -> None:
    psg.write_bytes(put(480, b"3276,5  ")(psg.read_bytes()))
    assert read_header(psg).signals[0].physical[1] == 3276.5


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
    "records without end": (put(236, b"inf     "), "the field 'records' is 'inf', not a number"),
    "no records at all": (
        lambda contents: put(236, b"0       ")(contents)[:768],
        "is empty: it holds a header and no record",
    ),
    "half a record": (put(236, b"59.5    "), "'records' is '59.5', not a whole number from -1 to"),
    "too many records": (put(236, b"1e300   "), "'records' is '1e300', not a whole number from -1"),
    "less than none": (put(236, b"-2      "), "'records' is '-2', not a whole number from -1"),
    "no time to speak of": (put(244, b"1e-300  "), "gives records of 1e-300 s"),
    "endless time": (put(244, b"inf     "), "the field 'record duration' is 'inf', not a number"),
    "years": (put(244, b"9999999 "), "gives records of 1e\\+07 s"),
    "not a time": (put(244, b"nan     "), "the field 'record duration' is 'nan', not a number"),
    "endless signals": (put(252, b"inf "), "the field 'signals' is 'inf', not a number"),
    "negative signals": (put(252, b"-1  "), "'signals' is '-1', not a whole number from 0 to 9999"),
    "endless header": (put(184, b"inf     "), "the field 'header bytes' is 'inf', not a number"),
    "no samples": (put(688, b"nan     "), "the field 'samples' is 'nan', not a number"),
    "negative samples": (put(688, b"-50     "), "'samples' is '-50', not a whole number from 0"),
    "no physical limit": (put(480, b"inf     "), "'physical maximum' is 'inf', not a number"),
    "no digital limit": (put(496, b"nan     "), "'digital minimum' is 'nan', not a number"),
    "the other format": (
        put(0, b"\xffBIOSEMI"),
        "is BDF inside, but its .* '.edf'. Rename to a.bdf",
    ),
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


@pytest.mark.parametrize("name", ["a.bdf", "a.rec", "a"])
def test_a_name_that_does_not_end_as_its_format_must(psg: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"is EDF inside, but its name ends in .*Rename to a\.edf"):
        read_header(psg.rename(psg.with_name(name)))


def test_endings_in_capitals(psg: Path) -> None:
    assert read_header(psg.rename(psg.with_name("A.EDF"))).labels == ["C3", "C4"]


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        (b"uV", "uV"),
        (b"uv", "uV"),
        ("µV".encode(), "uV"),
        ("μV".encode(), "uV"),
        ("µV".encode("latin1"), "uV"),
        ("μV".encode("shift_jis"), "uV"),
        (b"uV\0\0\0\0\0\0", "uV"),
        (b"mV", "mV"),
        (b"V", "V"),
        (b"MV", "MV"),
        (b"%", "%"),
        (b"", ""),
    ],
)
def test_units_are_spelt_one_way(psg: Path, written: bytes, unit: str) -> None:
    psg.write_bytes(put(448, written.ljust(8))(psg.read_bytes()))
    assert read_header(psg).signals[0].unit == unit


def test_a_recording_that_was_never_closed_lasts_as_long_as_its_file(psg: Path) -> None:
    psg.write_bytes(put(236, b"-1      ")(psg.read_bytes())[:-200])
    assert read_header(psg).duration_s == 59.0


def test_a_recording_that_was_never_begun(psg: Path) -> None:
    psg.write_bytes(put(236, b"-1      ")(psg.read_bytes())[: 3 * 256])
    with pytest.raises(UserError, match="is empty: it holds a header and no record"):
        read_header(psg)


def test_what_stands_behind_the_last_record_is_left(psg: Path) -> None:
    psg.write_bytes(psg.read_bytes() + bytes(199))  # a byte less than a record
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
