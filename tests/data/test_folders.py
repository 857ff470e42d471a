"""Folders: described in a few words, and refused when they are none or may not be read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sleepsweep.data.folders import check_folder, check_tree, describe_folder
from sleepsweep.data.source import DataSpec
from sleepsweep.errors import UserError

NOBODY = 65534


def test_describe_folder(tmp_path: Path) -> None:
    assert describe_folder(tmp_path) == "nothing"
    for name in ("b.EDF", "a.edf", "c", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "d").mkdir()
    assert describe_folder(tmp_path) == "2 × .edf, 1 × no ending, 1 folders"


def test_what_is_no_folder(tmp_path: Path) -> None:
    check_folder(tmp_path)
    (tmp_path / "a.edf").touch()
    with pytest.raises(UserError, match=r"a\.edf: is a file, not a folder"):
        check_folder(tmp_path / "a.edf")
    with pytest.raises(UserError, match="nowhere: no such folder"):
        check_folder(tmp_path / "nowhere")


@contextmanager
def mode(folder: Path, bits: int) -> Iterator[None]:
    """Change what may be done with `folder`, as somebody other than root, who may do everything."""
    folder.chmod(bits)
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(mine)
        folder.chmod(0o700)


def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    (locked / "inside").mkdir(parents=True)
    with mode(locked, 0):
        for folder in (locked, locked / "inside"):
            with pytest.raises(UserError, match=r"cannot be read \(Permission denied\)"):
                check_folder(folder)
            with pytest.raises(UserError, match=r"cannot be read \(Permission denied\)"):
                DataSpec().pointed_at(folder)
            with pytest.raises(UserError, match=r"cannot be read \(Permission denied\)"):
                DataSpec(source="sleep-edf", root=str(folder)).build().fingerprint()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may reach, unlike those of pytest."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("bits", [0o000, 0o444, 0o111])
def test_a_folder_below_that_may_not_be_read(open_folder: Path, bits: int) -> None:
    root = open_folder
    below = root / "sleep-cassette"
    below.mkdir()
    check_tree(root)
    (below / "SC4001E0-PSG.edf").touch()
    (root / "SC4011E0-PSG.edf").touch()
    (root / "SC4011EC-Hypnogram.edf").touch()
    source = DataSpec(source="sleep-edf", root=str(root)).build()
    with mode(below, bits):
        with pytest.raises(UserError, match=r"sleep-cassette: this folder cannot be read \(Perm"):
            check_tree(root)
        with pytest.raises(UserError, match=r"sleep-cassette: this folder cannot be read \(Perm"):
            source.recordings()
    with mode(below, 0o755):
        check_tree(root)


def test_what_is_looked_for_may_be_where_nobody_can_look(open_folder: Path) -> None:
    (open_folder / "locked").mkdir()
    with (
        mode(open_folder / "locked", 0),
        pytest.raises(UserError, match=r"locked: this folder cannot be read"),
    ):
        DataSpec().pointed_at(open_folder)
