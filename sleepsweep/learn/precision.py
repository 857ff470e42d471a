"""Numbers in which a network computes, and those in which a loss does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


def at_least_float32(values: Tensor) -> Tensor:
    """Return half-precision values as float32, and others as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
