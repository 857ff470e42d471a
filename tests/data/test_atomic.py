"""A folder is written whole or not at all, and what the dead left is cleared away."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sleepsweep.data.atomic import LOCK, PARTIAL, written_beside
from sleepsweep.errors import UserError


def leftover(folder: Path, name: str, *files: str) -> Path:
    path = folder / f"{PARTIAL}{name}"
    path.mkdir()
    for file in ("epochs.npy", *files):
        (path / file).write_bytes(b"half")
    return path


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "store"
    with written_beside(target) as partial:
        (partial / "file").write_text("whole")
        assert not target.exists()
        assert partial.parent == target.parent
    assert (target / "file").read_text() == "whole"
    assert list(target.iterdir()) == [target / "file"]
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


def test_only_what_the_dead_left_is_removed(tmp_path: Path) -> None:
    gone = leftover(tmp_path, "dead", LOCK)
    alive = leftover(tmp_path, "alive", LOCK)
    kept = {alive, leftover(tmp_path, "where-nothing-can-be-locked")}
    with (alive / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with written_beside(tmp_path / "store"):
            assert not gone.exists()
            with written_beside(tmp_path / "other"):  # leaves the first one alone
                pass
    assert set(tmp_path.iterdir()) == kept | {tmp_path / "store", tmp_path / "other"}


def test_a_process_that_is_killed_leaves_what_the_next_one_removes(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal\n"
        "from sleepsweep.data.atomic import written_beside\n"
        f"with written_beside(pathlib.Path({str(tmp_path / 'store')!r})):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert [path.name.startswith(PARTIAL) for path in tmp_path.iterdir()] == [True]
    with written_beside(tmp_path / "store"):
        pass
    assert list(tmp_path.iterdir()) == [tmp_path / "store"]


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with written_beside(tmp_path / "store") as partial:
        monkeypatch.undo()
        with written_beside(tmp_path / "other"):
            assert partial.exists()
    assert set(tmp_path.iterdir()) == {tmp_path / "store", tmp_path / "other"}


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match="cannot be written"),
        written_beside(tmp_path / "file" / "store"),
    ):
        pass
