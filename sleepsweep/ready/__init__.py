"""The ready model, which comes with the package: a file of weights and its card.

It is made by ``sleepsweep train search_spaces/experiments/ready.yaml``; what it is worth, and what
not, is in ``CARD.md`` beside it.
"""

from pathlib import Path

from sleepsweep.errors import UserError

READY = "ready"
"""What the ready model is called where a model is asked for."""

READY_MODEL = Path(__file__).parent / "ready.safetensors"
READY_CARD = Path(__file__).parent / "CARD.md"


def is_ready(path: Path) -> bool:
    """Whether `path` is the word ``ready``. Raises `UserError` where it is a path as well."""
    if str(path) != READY:
        return False
    if path.exists():
        raise UserError(
            f"{path}: is the model that comes with sleepsweep, and a path in this folder as well. "
            f"Give the full path of the one that you mean: {path.absolute()} or {READY_MODEL}."
        )
    return True
