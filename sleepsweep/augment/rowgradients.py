"""Pieces of epochs as operations of torch's that bring their own gradients.

Apart from it, as a class of torch's cannot be defined before torch is imported.
"""

from typing import Any

import torch
from torch import Tensor


class Pieces(torch.autograd.Function):
    """``x[b, c, start[b] : start[b] + length]``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, start: Tensor, length: int) -> Tensor:
        """Read the pieces."""
        rows = row_numbers(x, start)
        ctx.save_for_backward(rows)
        ctx.shape = x.shape
        read = every_row(x.contiguous().view(-1), length).index_select(0, rows)
        return read.view(*x.shape[:2], length)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Put the gradient of each piece where it was read."""
        (rows,) = ctx.saved_tensors
        length = gradient.shape[-1]
        result = gradient.new_zeros(ctx.shape)
        every_row(result.view(-1), length).index_copy_(0, rows, gradient.reshape(-1, length))
        return result, None, None


class ScaledPieces(torch.autograd.Function):
    """x with ``x[b, c, start[b] : start[b] + n]`` times ``factor[b]``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, start: Tensor, factor: Tensor) -> Tensor:
        """Scale the pieces in a copy."""
        ctx.save_for_backward(start, factor)
        result = x.clone(memory_format=torch.contiguous_format)
        rows = every_row(result.view(-1), factor.shape[1])
        numbers = row_numbers(x, start)
        scaled = rows.index_select(0, numbers).view(*x.shape[:2], -1) * factor.unsqueeze(1)
        rows.index_copy_(0, numbers, scaled.flatten(0, 1))
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Scale the gradient alike."""
        scaled: Tensor = ScaledPieces.apply(gradient, *ctx.saved_tensors)  # type: ignore[no-untyped-call]
        return scaled, None, None


def every_row(flat: Tensor, length: int) -> Tensor:
    """Return a view in which row i is ``flat[i : i + length]``."""
    return flat.unfold(0, length, 1)


def row_numbers(x: Tensor, start: Tensor) -> Tensor:
    """Return where the piece of each channel starts in x laid out flat."""
    batch, channels, length = x.shape
    first = torch.arange(0, batch * channels * length, length, device=x.device)
    return (first.view(batch, channels) + start).flatten()
