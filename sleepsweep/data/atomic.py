"""A folder that is written whole or not at all."""

import fcntl
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sleepsweep.replacing import writing

PARTIAL = ".partial-"
# The writer of a folder locks this file inside. The kernel lets go of the lock when the writer
# dies, whichever machine or container it ran in.
LOCK = ".lock"


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """Give a folder to write into, empty but for a hidden file; on success it becomes `target`.

    After an error nothing of it remains. When `target` has come into being meanwhile it is left as
    it is. What killed processes left there is removed first. Raises `UserError` when the place
    cannot be written.
    """
    with writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target.parent)
        partial, lock = _locked_folder(target.parent)
    try:
        yield partial
        with writing(target.parent):
            (partial / LOCK).unlink(missing_ok=True)
            _rename(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        lock.close()


def _rename(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError:
        if not target.exists():
            raise
        # Another process finished first.


def _locked_folder(parent: Path) -> tuple[Path, IO[bytes]]:
    while True:
        partial = parent / f"{PARTIAL}{uuid.uuid4().hex[:8]}"
        partial.mkdir()
        try:
            lock = (partial / LOCK).open("wb")
        except OSError:
            partial.rmdir()
            raise
        if not _locked(lock, fcntl.LOCK_EX):
            # Not every file system has locks. Without the file nobody takes this folder for dead.
            (partial / LOCK).unlink()
            return partial, lock
        if (partial / LOCK).exists():
            return partial, lock
        lock.close()  # somebody was quicker, and removed the folder as that of a dead process


def _remove_leftovers(folder: Path) -> None:
    for path in folder.glob(f"{PARTIAL}*/{LOCK}"):
        try:
            lock = path.open("wb")
        except OSError:
            continue  # finished meanwhile, or somebody else's
        with lock:
            if _locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(path.parent, ignore_errors=True)


def _locked(file: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(file, how)
    except OSError:
        return False
    return True
