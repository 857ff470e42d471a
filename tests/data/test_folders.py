"""Folders: described in a few words, and refused when they are none or may not be read."""

import os
from pathlib import Path

import pytest

from sleepsweep.data.folders import check_folder, describe_folder
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


def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    (locked / "inside").mkdir(parents=True)
    locked.chmod(0)
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(NOBODY)  # root may read every folder, whatever its permissions
    try:
        for folder in (locked, locked / "inside"):
            with pytest.raises(UserError, match=r"cannot be read \(Permission denied\)"):
                check_folder(folder)
            with pytest.raises(UserError, match=r"cannot be read \(Permission denied\)"):
                DataSpec().pointed_at(folder)
            with pytest.raises(UserError, match=r"cannot be read \(Permission denied\)"):
                DataSpec(source="sleep-edf", root=str(folder)).build().fingerprint()
    finally:
        os.seteuid(mine)
        locked.chmod(0o700)
