"""A folder that is written whole or not at all."""

import os
import platform
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sleepsweep.errors import UserError

PARTIAL = ".partial-"
# The writer's machine and process stand in the name, so that a later one can tell whether it lives.
WRITER = re.compile(rf"{re.escape(PARTIAL)}[0-9a-f]{{8}}@(?P<host>.+)@(?P<pid>\d{{1,9}})")


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """Give an empty folder to write into; on success it is renamed to `target`.

    After an error nothing of it remains. When `target` has come into being meanwhile it is left as
    it is. What killed processes of this machine left there is removed first. Raises `UserError`
    when the place cannot be written.
    """
    with writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target.parent)
        writer = f"{uuid.uuid4().hex[:8]}@{platform.node()}@{os.getpid()}"
        partial = target.with_name(f"{PARTIAL}{writer}")
        partial.mkdir()
    try:
        yield partial
        with writing(target.parent):
            _rename(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn an `OSError` of writing to `place`, such as a full disk, into a `UserError`."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{place}: the prepared data cannot be written there ({error}). Free some space, or "
            "choose another place: the environment variable SLEEPSWEEP_CACHE for data that a "
            "launch prepares, --out for a store of your own."
        ) from error


def _rename(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError:
        if not target.exists():
            raise
        # Another process finished first.


def _remove_leftovers(folder: Path) -> None:
    for path in folder.glob(f"{PARTIAL}*"):
        writer = WRITER.fullmatch(path.name)
        if writer and writer["host"] == platform.node() and not _runs(int(writer["pid"])):
            shutil.rmtree(path, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's process
    return True
