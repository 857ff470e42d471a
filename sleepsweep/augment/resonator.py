"""The resonator y[n] = x[n] + s·y[n−1] − q·y[n−2] of a batch of epochs, each with its own s.

Sample by sample it would be as many small steps as an epoch has samples. Here the epochs are cut
into blocks: what a block makes of its own samples is one product of matrices for all of them, and
only the two values that each block hands to the next are followed through the epoch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


# Samples in a block: longer ones cost more arithmetic, shorter ones more handing on.
BLOCK = 25


def resonate(x: Tensor, total: Tensor, product: float) -> Tensor:
    """Filter x (batch, channel, time) from rest by 1 / (1 − s·z + q·z²), z the delay by a sample.

    `total`, s, is (batch, 1) of float64 and `product` is q: sum and product of the two poles.
    """
    batch, channels, length = x.shape
    count = math.ceil(length / BLOCK)
    size = max(2, math.ceil(length / count))
    response = _response(total, product, size)
    if count * size > length:
        x = torch.nn.functional.pad(x, (0, count * size - length))
    y = torch.bmm(x.reshape(batch, -1, size), _toeplitz(response[:, 1:-1].to(x.dtype)))
    before = _before(y.view(batch, channels, count, size), response, product)
    # h₁ … and −q·h₀ … follow on one value of 1 before the block, and on one before that.
    free = torch.stack([response[:, 2:], -product * response[:, 1:-1]], 1)
    y.baddbmm_(before.to(x.dtype), free.to(x.dtype))
    return y.view(batch, channels, -1)[..., :length]


def _response(total: Tensor, product: float, size: int) -> Tensor:
    """Return what follows on a single 1: (batch, size + 2), h₋₁ = 0, h₀ = 1, … h_size."""
    impulse = total.new_zeros(len(total), 1, size + 2)
    impulse[..., 1] = 1
    return _by_doubling(impulse, total, product)[:, 0]


def _toeplitz(response: Tensor) -> Tensor:
    """Return (batch, size, size): in row i, what sample i of a block adds to each sample of it."""
    size = response.shape[1]
    padded = torch.nn.functional.pad(response, (size - 1, 0))
    return padded.unfold(1, size, 1).flip(1)


def _before(y: Tensor, response: Tensor, product: float) -> Tensor:
    """Return the two values before each block, (batch, channel · block, 2), the last one first.

    `y` (batch, channel, block, time) is each block's own, from rest. With its two last values u
    and a 2 × 2 matrix A the values v after a block are v = v_before·A + u, which is solved by

        v = (1 − adj A · z) u / (1 − tr A · z + det A · z²)

    in z, the delay by one block: a resonator, whose poles are the powers of the given ones.
    """
    batch, channels, count, size = y.shape
    after, last, first = (response[:, size + 1 - back] for back in range(3))
    adjugate = torch.stack([-product * first, -last, product * last, after], 1).view(-1, 1, 2, 2)
    own = y[..., -2:].flip(-1).double()
    driven = own - torch.nn.functional.pad(own @ adjugate, (0, 0, 1, 0))[:, :, :-1]
    trace = (after - product * first).unsqueeze(1)
    driven = driven.transpose(2, 3).reshape(batch, -1, count)
    values = _by_doubling(driven, trace, product**size).view(batch, channels, 2, count)
    handed_on = torch.nn.functional.pad(values, (1, 0))[..., :-1]
    return handed_on.transpose(2, 3).reshape(batch, -1, 2)


def _by_doubling(x: Tensor, total: Tensor, product: float) -> Tensor:
    """Do the same as `resonate` for a few samples, all of them at once.

    As with z = zⁿ

        1 / (1 − s·z + q·z²) = (1 + s·z + q·z²) / (1 − (s² − 2q)·z² + q²·z⁴):

    each step squares the poles and doubles the delay. Once it is longer than x, the denominator
    is 1.
    """
    length, delay = x.shape[-1], 1
    while delay < length:
        before = x
        x = before.clone()
        x[..., delay:].addcmul_(total.unsqueeze(1), before[..., :-delay])
        if 2 * delay < length:
            x[..., 2 * delay :].add_(before[..., : -2 * delay], alpha=product)
        total, product, delay = total.square() - 2 * product, product * product, 2 * delay
    return x
