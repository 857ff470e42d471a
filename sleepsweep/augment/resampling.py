"""Reading a signal at other times: the gather and the linear interpolation of several parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def take(x: Tensor, index: Tensor) -> Tensor:
    """Return ``x[b, c, index[b, i]]``; x (batch, channel, time), index (batch, n) of int64."""
    return x.gather(-1, index.unsqueeze(1).expand(-1, x.shape[1], -1))


def read_at(x: Tensor, position: Tensor) -> Tensor:
    """Interpolate linearly at real-valued sample positions, as ``numpy.interp`` does.

    x is (batch, channel, time), position (batch, n) in samples; before the first sample and after
    the last one the signal keeps its end value. Positions should be float64: at 3000 samples
    float32 would leave the weights only three digits.
    """
    last = x.shape[-1] - 1
    left = position.long().clamp_(0, max(last - 1, 0))
    weight = (position - left).to(x.dtype).clamp_(0, 1).unsqueeze(1)
    return take(x, left).lerp(take(x[..., min(1, last) :], left), weight)
