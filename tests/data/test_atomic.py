"""A folder is written whole or not at all, and what the dead left is cleared away."""

import errno
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from sleepsweep.data.atomic import PARTIAL, writing, written_beside
from sleepsweep.errors import UserError


def leftover(folder: Path, host: str, pid: int) -> Path:
    path = folder / f"{PARTIAL}0123abcd@{host}@{pid}"
    path.mkdir()
    (path / "epochs.npy").write_bytes(b"half")
    return path


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "store"
    with written_beside(target) as partial:
        (partial / "file").write_text("whole")
        assert not target.exists()
        assert partial.parent == target.parent
    assert (target / "file").read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_after_an_error_nothing_remains(tmp_path: Path) -> None:
    def write() -> None:
        with written_beside(tmp_path / "store") as partial:
            (partial / "file").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert list(tmp_path.iterdir()) == []


def test_who_came_first_is_left_as_it_is(tmp_path: Path) -> None:
    target = tmp_path / "store"
    with written_beside(target) as partial:
        (partial / "file").write_text("second")
        with written_beside(target) as other:
            (other / "file").write_text("first")
    assert (target / "file").read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_only_what_dead_processes_of_this_machine_left_is_removed(
    tmp_path: Path, dead: int
) -> None:
    gone = leftover(tmp_path, platform.node(), dead)
    kept = {
        leftover(tmp_path, platform.node(), os.getpid()),
        leftover(tmp_path, platform.node(), 1),
        leftover(tmp_path, "another-machine", dead),
        tmp_path / f"{PARTIAL}of-something-else",
    }
    (tmp_path / f"{PARTIAL}of-something-else").mkdir()
    with written_beside(tmp_path / "store"):
        assert not gone.exists()
    assert set(tmp_path.iterdir()) == kept | {tmp_path / "store"}


def test_a_full_disk_is_the_users_to_mend(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=rf"{tmp_path}: .*No space left.*SLEEPSWEEP_CACHE.*--out"),
        writing(tmp_path),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match="cannot be written"),
        written_beside(tmp_path / "file" / "store"),
    ):
        pass
