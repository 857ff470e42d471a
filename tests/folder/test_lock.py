import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sleepsweep.errors import UserError
from sleepsweep.folder.lock import FolderLock

HOLD = """
import sys, time
from pathlib import Path
from sleepsweep.folder.lock import FolderLock
try:
    with FolderLock(Path(sys.argv[1])).held():
        print("held", flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    sys.exit(3)
"""


def test_the_holder_is_known_while_it_holds_the_sweep(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "sweep")
    assert lock.holder() is None
    with lock.held():
        assert lock.holder() == os.getpid()
        with pytest.raises(UserError, match=rf"pid {os.getpid()}\).*sleepsweep stop"), lock.held():
            pass
    assert lock.holder() is None


def test_a_launch_is_interrupted_from_another_process(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    assert lock.interrupt() is None
    run = [sys.executable, "-c", HOLD, str(tmp_path)]
    process = subprocess.Popen(run, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert lock.interrupt() == process.pid
    assert process.wait(timeout=60) == 3
    assert lock.holder() is None


def test_nobody_else_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pid in the lock that is not the holder's: of another machine that shares the folder."""
    lock, sent = FolderLock(tmp_path), []
    monkeypatch.setattr(os, "kill", lambda *call: sent.append(call))
    with lock.held():
        (tmp_path / ".lock").write_text("1")
        with pytest.raises(UserError, match=r"process 1 of this machine .*slurm cancel"):
            lock.interrupt()
        assert sent == []
        (tmp_path / ".lock").write_text(str(os.getpid()))
        assert lock.interrupt() == os.getpid()
    assert sent == [(os.getpid(), signal.SIGINT)]


def test_tasks_of_slurm_are_cancelled_and_not_taken_for_nothing(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with lock.shared():
        assert lock.holder() is None
        with pytest.raises(UserError, match=rf"tasks of Slurm .*slurm cancel {tmp_path}"):
            lock.interrupt()
    assert lock.interrupt() is None


def test_asking_for_the_holder_refuses_no_launch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long a busy machine takes to end the process that asks.
    monkeypatch.setattr("sleepsweep.folder.lock.PATIENCE", 1000)
    lock = FolderLock(tmp_path)
    ask = f"""
import fcntl, time
handle = open({str(tmp_path / ".lock")!r})
fcntl.flock(handle, fcntl.LOCK_SH)
print("asked", flush=True)
time.sleep(0.1)
"""
    with lock.held():
        pass
    process = subprocess.Popen([sys.executable, "-c", ask], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "asked\n"
    with lock.held():
        assert lock.holder() == os.getpid()
    process.wait(timeout=60)


def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    lock = FolderLock(tmp_path)
    with pytest.raises(UserError, match="keeps no locks"), lock.held():
        pass
    with pytest.raises(UserError, match="keeps no locks"), lock.shared():
        pass


def test_a_trial_that_another_task_runs_is_told_as_that(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path, "trial")
    with (
        lock.held(),
        pytest.raises(UserError, match=rf"another task \(pid {os.getpid()}\)"),
        lock.held(),
    ):
        pass
