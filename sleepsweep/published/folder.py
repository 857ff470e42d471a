"""Folders of configs, submitted one by one."""

import re
from pathlib import Path

from sleepsweep.errors import UserError

ENDINGS = (".json", ".yaml", ".yml")


def is_published(path: Path) -> bool:
    """Whether `path` is, by its ending, a JSON config of the published study."""
    return path.suffix.lower() == ".json"


def configs_in(folder: Path) -> list[Path]:
    """Return the configs directly in `folder`, published ones and YAML, in natural order.

    Natural: ``config_2`` before ``config_10``. Hidden files are none. Raises `UserError` when the
    folder cannot be read or holds none.
    """
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be read as a folder ({error.strerror}). Give a folder of configs."
        ) from error
    found = [entry for entry in entries if entry.suffix.lower() in ENDINGS and entry.is_file()]
    if not found:
        raise UserError(f"{folder}: holds no config (*{', *'.join(ENDINGS)}).")
    return sorted(found, key=_natural)


def _natural(path: Path) -> tuple[list[tuple[str, int]], str]:
    parts = re.findall(r"(\D*)(\d*)", path.stem.lower())
    return [(text, int(digits or -1)) for text, digits in parts], path.name
