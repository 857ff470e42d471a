"""Checkpoints: the state of a run as a file of tensors and plain values."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import torch

from sleepsweep.errors import UserError
from sleepsweep.replacing import replacing


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write `state` atomically: a kill at any moment leaves the old file or the new one."""
    with replacing(path) as partial:
        torch.save(state, partial)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote, into the memory of the CPU; no code of it is run.

    Raises `UserError` for a file that is missing, damaged, no checkpoint, or that holds anything
    but tensors and plain values.
    """
    try:
        with warnings.catch_warnings():
            # Of a pickle that it refuses: the error says so.
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such checkpoint.") from error
    except OSError:
        raise  # of the disk, not of the file
    except pickle.UnpicklingError as error:
        raise _refused(path, "holds something else than tensors and plain values") from error
    except Exception as error:  # bytes of any kind make torch's reader fail in any way
        raise _refused(path, "is damaged, or is no checkpoint") from error
    if not isinstance(state, dict):
        raise _refused(path, "is no checkpoint of sleepsweep")
    return state


def _refused(path: Path, why: str) -> UserError:
    return UserError(
        f"{path} {why}; nothing of it was run. Name another file; where it is the state of a "
        "run, move it away, and the run begins anew."
    )
