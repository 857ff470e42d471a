"""Checkpoints: the state of a run as a file of tensors and plain values."""

from pathlib import Path
from typing import Any

import torch

from sleepsweep.replacing import replacing


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write `state` atomically: a kill at any moment leaves the old file or the new one."""
    with replacing(path) as partial:
        torch.save(state, partial)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote; only tensors and plain values, no code (``weights_only``).

    Raises `pickle.UnpicklingError` for a file that holds anything else.
    """
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state
