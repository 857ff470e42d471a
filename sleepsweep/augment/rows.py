"""Pieces of epochs that begin elsewhere in each: read, and scaled in place, as whole rows.

Copying a row costs a fifth of gathering its samples. What autograd would make of the overlapping
views behind it has the size of the batch times the length; both functions bring their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


def pieces(x: Tensor, start: Tensor, length: int) -> Tensor:
    """Return ``x[b, c, start[b] : start[b] + length]``; x (batch, channel, time), start (batch, 1).

    `start` is int64; every piece lies within its epoch.
    """
    from sleepsweep.augment.rowgradients import Pieces

    read: Tensor = Pieces.apply(x, start, length)  # type: ignore[no-untyped-call]
    return read


def scale_pieces(x: Tensor, start: Tensor, factor: Tensor) -> Tensor:
    """Return x with ``x[b, c, start[b] : start[b] + n]`` times ``factor[b]``, which is (batch, n).

    x is (batch, channel, time), `start` (batch, 1) of int64; every piece lies within its epoch.
    """
    from sleepsweep.augment.rowgradients import ScaledPieces

    scaled: Tensor = ScaledPieces.apply(x, start, factor)  # type: ignore[no-untyped-call]
    return scaled


def ones_until(end: Tensor, length: int, dtype: torch.dtype) -> Tensor:
    """Return rows of ones before `end`, int64 (batch, 1) in 0 … length, and zeros from it on."""
    step = torch.zeros(2 * length, dtype=dtype, device=end.device)
    step[:length] = 1
    return step.unfold(0, length, 1).index_select(0, length - end[:, 0])
