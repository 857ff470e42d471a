"""Files written together: all of them, or none and the old ones stay."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["write_all"]

STAGING = ".report.partial"


def write_all(
    out: Path, texts: Mapping[str, str], others: Callable[[Path], None] | None = None
) -> None:
    """Write `texts` (name in `out` → content), and what `others` writes into a folder, at once.

    Everything is written beside its place first: where that fails, nothing has been replaced.
    """
    staging = out / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        for name, text in texts.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if others is not None:
            others(staging)
        for path in sorted(path for path in staging.rglob("*") if path.is_file()):
            place = out / path.relative_to(staging)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
