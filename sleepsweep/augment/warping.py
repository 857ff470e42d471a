"""Maps of time that stretch here and shrink there, and keep the first and the last sample."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sleepsweep.augment.blocks import in_blocks
from sleepsweep.augment.resampling import read_at
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


@in_blocks
def warp(x: Tensor, stretch: Tensor) -> Tensor:
    """Warp x (batch, channel, time); `stretch` is (batch, n_segments), positive, float64."""
    length = x.shape[-1]
    ends = (length - 1) * stretch.cumsum(1) / stretch.sum(1, keepdim=True)
    pace = stretch.mean(1, keepdim=True) / stretch
    time = torch.arange(length, device=x.device, dtype=torch.float64)
    position = pace[:, :1] * time
    # From the end of each segment on, the pace is another one.
    change = pace.diff(dim=1)
    for segment in range(change.shape[1]):
        position.addcmul_((time - ends[:, segment, None]).clamp_(min=0), change[:, segment, None])
    return read_at(x, position)


@in_blocks
def warp_smoothly(x: Tensor, pace: Tensor) -> Tensor:
    """Warp x (batch, channel, time) at a pace that is smooth through (batch, knots), float64.

    Time has run as far as the integral of the pace; it is scaled to end at the last sample.
    """
    length = x.shape[-1]
    passed = pace @ _integrals(max(length, 2), pace.shape[1], x.device).T
    return read_at(x, (passed * ((length - 1) / passed[:, -1:]))[:, :length])


@lru_cache(maxsize=32)
def _integrals(length: int, knots: int, device: torch.device) -> Tensor:
    """Return (time, knot): the integral up to each sample of the spline through 1 at one knot.

    A spline is linear in its values, so all the splines of a batch are one product with this.
    """
    from scipy.interpolate import CubicSpline  # takes time

    spline = CubicSpline(np.linspace(0, 1, knots), np.eye(knots)).antiderivative()
    return torch.from_numpy(spline(np.linspace(0, 1, length))).to(device)
