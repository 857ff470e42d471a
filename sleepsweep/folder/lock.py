"""One process at a time fills a folder, and who it is.

The lock is the kernel's, on the file ``.lock``: it ends with the process, however that ends.
"""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from sleepsweep.errors import UserError

NAME = ".lock"
PATIENCE = 6
"""How often a launch tries to take the lock."""


@dataclass(frozen=True)
class FolderLock:
    """The lock of the `folder` of a study of this `kind`, a sweep or an experiment."""

    folder: Path
    kind: str = "sweep"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and hold it for one launch.

        Raises `UserError` with the other launch's pid when it is taken.
        """
        with self._locked(fcntl.LOCK_EX) as handle:
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            yield

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold the folder together with others that fill it, and keep a launch out.

        Raises `UserError` where a launch holds it.
        """
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def _locked(self, how: int) -> Iterator[TextIO]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / NAME).open("a+")
        except OSError as error:
            raise UserError(f"{self.folder}: cannot be written ({error.strerror}).") from error
        with lock as handle:
            try:
                _take(handle, how)
            except BlockingIOError as error:
                raise self._taken(handle) from error
            except OSError as error:
                raise UserError(
                    f"{self.folder}: its file system keeps no locks ({error.strerror}), without "
                    "which two launches would spoil each other's results. Give a folder elsewhere "
                    "with --out."
                ) from error
            yield handle

    def _taken(self, handle: TextIO) -> UserError:
        handle.seek(0)
        holder = f"(pid {handle.read().strip()})"
        if self.kind == "trial":
            return UserError(f"{self.folder}: another task {holder} is running this trial.")
        who, how = f"another launch {holder} is running", f"stop it ({self._how_to_stop})"
        if _is_shared(handle):
            who = "tasks of Slurm are running"
            how = f"cancel them (sleepsweep slurm cancel {self.folder})"
        return UserError(
            f"{self.folder}: {who} this {self.kind}; wait for it, {how}, or give another folder "
            "with --out."
        )

    @property
    def _how_to_stop(self) -> str:
        return f"sleepsweep stop {self.folder}" if self.kind == "sweep" else "by Ctrl-C"

    def holder(self) -> int | None:
        """The pid of the launch that is running this sweep, None if there is none."""
        if not (self.folder / NAME).exists():
            return None
        with (self.folder / NAME).open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _pid(handle)
        return None

    def interrupt(self) -> int | None:
        """Send SIGINT to the launch that is running this sweep; return its pid, None without one.

        Raises `UserError` when that process is not known to hold this sweep: it is another user's,
        or on another machine. Also where tasks of Slurm hold it together.
        """
        pid = self.holder()
        if pid is None:
            with self._locked(fcntl.LOCK_EX):
                return None
        if not _has_open(pid, self.folder / NAME):
            raise UserError(
                f"{self.folder}: process {pid} of this machine does not run this sweep, or is not "
                "yours. Stop the launch where it was started, by Ctrl-C, or its job of Slurm by "
                f"sleepsweep slurm cancel {self.folder}."
            )
        os.kill(pid, signal.SIGINT)
        return pid


def _take(lock: TextIO, how: int) -> None:
    # Whoever asks for the holder takes the lock for a moment: that must not refuse a launch.
    for _ in range(PATIENCE - 1):
        try:
            return fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
    fcntl.flock(lock, how | fcntl.LOCK_NB)


def _is_shared(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(lock: TextIO) -> int:
    # Between taking the lock and writing its pid, a launch has not said who it is yet.
    while not (text := lock.read()):
        time.sleep(0.01)
        lock.seek(0)
    return int(text)


def _has_open(pid: int, file: Path) -> bool:
    try:
        handles = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False  # no such process any more, or somebody else's
    return any(_leads_to(handle, file.resolve()) for handle in handles)


def _leads_to(handle: Path, file: Path) -> bool:
    try:
        return handle.readlink() == file
    except OSError:
        return False  # closed since it was listed, or not for us to see
