"""Folders of recordings: what they hold, and the refusal of what is no readable folder."""

import os
from collections import Counter
from pathlib import Path

from sleepsweep.errors import UserError

GIVE = "Give the folder that holds the recordings"


def check_folder(folder: Path) -> None:
    """Raise `UserError` when `folder` is missing, a file, or may not be read."""
    try:
        for entry in folder.iterdir():
            entry.lstat()  # a folder may be listed, and yet its files not be reached
            break
    except FileNotFoundError as error:
        raise UserError(f"{folder}: no such folder. {GIVE}.") from error
    except NotADirectoryError as error:
        raise UserError(f"{folder}: is a file, not a folder. {GIVE}.") from error
    except OSError as error:
        raise UserError(
            f"{folder}: this folder cannot be read ({error.strerror}). Check its permissions, or "
            "give another folder."
        ) from error


def check_tree(root: Path) -> None:
    """Raise `UserError` when `root` or a folder below it is one that `check_folder` refuses.

    A search would pass over such a folder, and over the recordings in it, without a word.
    """
    check_folder(root)
    for folder, below, _ in os.walk(root):
        for name in below:
            check_folder(Path(folder, name))


def describe_folder(folder: Path) -> str:
    """Say in a few words what `folder` holds, by file name ending."""
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    endings = Counter(e.suffix.lower() or "no ending" for e in entries if not e.is_dir())
    folders = sum(entry.is_dir() for entry in entries)
    parts = [f"{count} × {ending}" for ending, count in sorted(endings.items())]
    return ", ".join(parts + [f"{folders} folders"] * bool(folders)) or "nothing"
