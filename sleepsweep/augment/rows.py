"""Pieces of epochs that begin elsewhere in each: read, and scaled in place, as whole rows.

Copying a row costs a fifth of gathering its samples. What autograd would make of the overlapping
views behind it has the size of the batch times the length; both functions bring their own.
"""

from typing import Any

import torch
from torch import Tensor


def pieces(x: Tensor, start: Tensor, length: int) -> Tensor:
    """Return ``x[b, c, start[b] : start[b] + length]``; x (batch, channel, time), start (batch, 1).

    `start` is int64; every piece lies within its epoch.
    """
    read: Tensor = _Pieces.apply(x, start, length)  # type: ignore[no-untyped-call]
    return read


def scale_pieces(x: Tensor, start: Tensor, factor: Tensor) -> Tensor:
    """Return x with ``x[b, c, start[b] : start[b] + n]`` times ``factor[b]``, which is (batch, n).

    x is (batch, channel, time), `start` (batch, 1) of int64; every piece lies within its epoch.
    """
    scaled: Tensor = _ScaledPieces.apply(x, start, factor)  # type: ignore[no-untyped-call]
    return scaled


def ones_until(end: Tensor, length: int, dtype: torch.dtype) -> Tensor:
    """Return rows of ones before `end`, int64 (batch, 1) in 0 … length, and zeros from it on."""
    step = torch.zeros(2 * length, dtype=dtype, device=end.device)
    step[:length] = 1
    return _every_row(step, length).index_select(0, length - end[:, 0])


class _Pieces(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, start: Tensor, length: int) -> Tensor:
        rows = _row_numbers(x, start)
        ctx.save_for_backward(rows)
        ctx.shape = x.shape
        read = _every_row(x.contiguous().view(-1), length).index_select(0, rows)
        return read.view(*x.shape[:2], length)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (rows,) = ctx.saved_tensors
        length = gradient.shape[-1]
        result = gradient.new_zeros(ctx.shape)
        _every_row(result.view(-1), length).index_copy_(0, rows, gradient.reshape(-1, length))
        return result, None, None


class _ScaledPieces(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, start: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(start, factor)
        result = x.clone(memory_format=torch.contiguous_format)
        every_row, rows = _every_row(result.view(-1), factor.shape[1]), _row_numbers(x, start)
        scaled = every_row.index_select(0, rows).view(*x.shape[:2], -1) * factor.unsqueeze(1)
        every_row.index_copy_(0, rows, scaled.flatten(0, 1))
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return scale_pieces(gradient, *ctx.saved_tensors), None, None


def _every_row(flat: Tensor, length: int) -> Tensor:
    """Return a view in which row i is ``flat[i : i + length]``."""
    return flat.unfold(0, length, 1)


def _row_numbers(x: Tensor, start: Tensor) -> Tensor:
    """Return where the piece of each channel starts in x laid out flat."""
    batch, channels, length = x.shape
    first = torch.arange(0, batch * channels * length, length, device=x.device)
    return (first.view(batch, channels) + start).flatten()
