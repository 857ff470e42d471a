"""Folders of npz files: what is read, and how every unusable one is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sleepsweep.data.npz import NpzSource, npz_files, read_npz
from sleepsweep.errors import UserError

Writer = Callable[..., Path]


def test_what_is_read(write_npz: Writer) -> None:
    path = write_npz(x=np.arange(600).reshape(6, 100, 1), y=np.array([0, 4, -100, 2, 1, 3.0]))
    recording = read_npz(path, 2)
    assert recording.epochs.shape == (6, 1, 100)
    assert recording.epochs.dtype == np.float32
    assert recording.stages.tolist() == [0, 4, -1, 2, 1, 3]
    assert recording.positions.tolist() == list(range(6))
    assert (recording.subject, recording.night) == ("person", 1)
    assert (recording.sfreq, recording.epoch_s) == (50.0, 2.0)
    assert (recording.channels, recording.unit) == (("Fpz-Cz",), "unknown")


@pytest.mark.parametrize(
    ("name", "subject", "night"),
    [
        ("SC4001E0.npz", "SC400", 1),
        ("SC4822G0.npz", "SC482", 2),
        ("ST7011J0.npz", "ST701", 1),
        ("ucddb002.npz", "ucddb002", 1),
        ("SC4xx1.npz", "SC4xx1", 1),
        ("sc4002e0.npz", "SC400", 2),
        ("sim0001.npz", "sim0001", 1),
        ("SIM0012E0.npz", "SIM001", 2),
        ("EEG_SC4001E0.npz", "SC400", 1),
        ("sub-01_ses-2_task-sleep.npz", "sub-01", 2),
        ("sub-01.npz", "sub-01", 1),
    ],
)
def test_subject_and_night_from_the_name(
    write_npz: Writer, name: str, subject: str, night: int
) -> None:
    recording = read_npz(write_npz(name), 2)
    assert (recording.subject, recording.night) == (subject, night)


def test_subject_and_night_told_by_the_file(write_npz: Writer) -> None:
    recording = read_npz(write_npz("a.npz", subject="anna", night=2), 2)
    assert (recording.subject, recording.night) == ("anna", 2)
    for wrong in ({"subject": np.array(["a", "b"])}, {"night": 1.5}):
        with pytest.raises(UserError, match=next(iter(wrong))):
            read_npz(write_npz("b.npz", **wrong), 2)


def test_positions_rate_and_label_as_other_projects_write_them(write_npz: Writer) -> None:
    path = write_npz(
        epoch=np.array([3, 4, 5, 9, 10, 11]), fs=np.array([50]), ch_label=np.array(["C3-A2"])
    )
    recording = read_npz(path, 2)
    assert recording.positions.tolist() == [3, 4, 5, 9, 10, 11]
    assert recording.channels == ("C3-A2",)
    assert read_npz(write_npz(ch_label=None), 2).channels == ("unknown",)


def test_pickled_keys_that_nobody_needs_are_not_touched(write_npz: Writer) -> None:
    path = write_npz(header_raw=np.array({"anything": 1}, dtype=object))
    assert len(read_npz(path, 2).epochs) == 6


def test_some_nan_epochs_are_left_for_later(write_npz: Writer) -> None:
    x = np.ones((6, 100))
    x[2] = np.nan
    assert len(read_npz(write_npz(x=x), 2).epochs) == 6


NAN_Y = np.array([0, 1, np.nan, 2, 3, 4])
HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "x missing": ({"x": None}, "key 'x' missing .*ch_label, fs, y"),
    "y missing": ({"y": None}, "key 'y' missing"),
    "fs missing": ({"fs": None}, "key 'fs' missing"),
    "pickled x": ({"x": np.array([{}] * 6, dtype=object)}, "key 'x' holds pickled .* run code"),
    "pickled y": ({"y": np.array([None] * 6, dtype=object)}, "key 'y' holds pickled"),
    "no epoch": ({"x": np.zeros((0, 100)), "y": np.zeros(0, int)}, r"key 'x' holds no epoch"),
    "flat x": ({"x": np.zeros(600)}, r"key 'x' has shape \(600,\)"),
    "two derivations": ({"x": np.zeros((6, 100, 2))}, r"key 'x' has shape \(6, 100, 2\)"),
    "text x": ({"x": np.full((6, 100), "1")}, "key 'x' has dtype <U1"),
    "complex x": ({"x": np.ones((6, 100), complex)}, "key 'x' has dtype complex128"),
    "boolean x": ({"x": np.ones((6, 100), bool)}, "key 'x' has dtype bool"),
    "all NaN": ({"x": np.full((6, 100), np.nan)}, "key 'x' has NaN or infinity in every epoch"),
    "short y": ({"y": np.zeros(5, int)}, r"key 'y' has shape \(5,\), x has 6 epochs"),
    "column y": ({"y": np.zeros((6, 1), int)}, r"key 'y' has shape \(6, 1\)"),
    "half a stage": ({"y": np.full(6, 1.5)}, "key 'y' is not whole numbers"),
    "NaN stage": ({"y": NAN_Y}, "key 'y' is not whole numbers"),
    "text stage": ({"y": np.full(6, "W")}, "key 'y' is not whole numbers"),
    "stage 5": ({"y": np.full(6, 5)}, "key 'y' holds stage 5"),
    "other length": ({"fs": 60.0}, r"has epochs of 100 samples, but fs · epoch_s = .*= 120"),
    "no rate": ({"fs": 0.0}, "key 'fs' is"),
    "NaN rate": ({"fs": np.nan}, "key 'fs' is"),
    "two rates": ({"fs": np.array([50, 50])}, "key 'fs' is"),
    "text rate": ({"fs": "50"}, "key 'fs' is"),
    "two labels": ({"ch_label": np.array(["a", "b"])}, "key 'ch_label' is"),
    "falling positions": ({"epoch": np.array([0, 1, 2, 2, 3, 4])}, "key 'epoch'"),
    "huge positions": ({"epoch": np.arange(6) + 2**40}, "key 'epoch'"),
    "short positions": ({"epoch": np.arange(5)}, "key 'epoch'"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file(write_npz: Writer, case: str) -> None:
    changes, message = HOSTILE[case]
    path = write_npz("bad.npz", **changes)
    with pytest.raises(UserError, match=message) as caught:
        read_npz(path, 2)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "Allowed: " in text
    assert "To mend it: " in text
    assert "\n" not in text


def test_not_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"\x80\x04not a zip")
    with pytest.raises(UserError, match="not an npz"):
        read_npz(path, 2)


def test_an_npy_named_npz(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(UserError, match="not an npz"):
        read_npz(path, 2)


def test_cut_short(write_npz: Writer) -> None:
    path = write_npz()
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match="cut short"):
        read_npz(path, 2)


def test_flipped_bytes(write_npz: Writer) -> None:
    path = write_npz()
    contents = bytearray(path.read_bytes())
    contents[400:500] = bytes(100)
    path.write_bytes(contents)
    with pytest.raises(UserError, match=r"damaged .*Copy or write it again"):
        read_npz(path, 2)


def test_a_zip_behind_other_bytes_is_not_unpickled(write_npz: Writer) -> None:
    path = write_npz()
    path.write_bytes(b"\x80\x04pickle?" + path.read_bytes())
    with pytest.raises(UserError):
        read_npz(path, 2)


def test_files_are_sorted_and_hidden_ones_skipped(write_npz: Writer) -> None:
    for name in ("b.npz", "a.npz", "._a.npz", "C.NPZ.npz"):
        write_npz(name)
    folder = write_npz().parent
    names = [path.name for path in npz_files(folder)]
    assert names == ["C.NPZ.npz", "a.npz", "b.npz", "person.npz"]


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        npz_files(tmp_path / "nowhere")


def test_a_file_instead_of_a_folder(write_npz: Writer) -> None:
    with pytest.raises(UserError, match="is a file, not a folder"):
        npz_files(write_npz())


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"found: nothing.*np\.savez"):
        npz_files(tmp_path)


def test_a_folder_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    with pytest.raises(UserError, match=r"found: 1 × \.csv"):
        npz_files(tmp_path)


def test_pickles_are_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").touch()
    with pytest.raises(UserError, match=r"loading one can run any code.*np\.savez\(path, x=x, y=y"):
        npz_files(tmp_path)


def test_the_fingerprint_tells_changed_files(write_npz: Writer) -> None:
    source = NpzSource(write_npz().parent, 2)
    before = source.fingerprint()
    assert source.fingerprint() == before
    write_npz("more.npz")
    assert source.fingerprint() != before


def test_a_derivation_that_is_asked_for_must_be_the_one_held(write_npz: Writer) -> None:
    folder = write_npz(ch_label="EEG Fpz-Cz").parent
    for same in ("Fpz-Cz", "EEG Fpz-Cz", "fpz-cz"):
        assert len(list(NpzSource(folder, 2, same).recordings())) == 1
    with pytest.raises(UserError, match=r"person\.npz: holds .*Fpz-Cz.* asks for 'Pz-Oz'"):
        list(NpzSource(folder, 2, "Pz-Oz").recordings())
