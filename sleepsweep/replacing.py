"""A file that is there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
