"""A file that is there whole or not at all, and what to say where it cannot be written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sleepsweep.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a place to write to; after the block what is there takes the place of `path` at once.

    A kill at any moment leaves the old file or the new one. Makes the folder where there is none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Of two processes that write it, one of which should be dead, each writes its own.
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn an `OSError` of writing to `place`, such as a full disk, into a `UserError`."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{place}: cannot be written ({error}). Free some space, or choose another place: by "
            "--out, or by the environment variable SLEEPSWEEP_CACHE for what a launch prepares."
        ) from error
