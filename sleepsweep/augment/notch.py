"""The notch filter of a batch of epochs, each with its own centre."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sleepsweep.augment.resonator import resonate
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


def notch(x: Tensor, centre_hz: Tensor, width_hz: float, sfreq: float) -> Tensor:
    """Filter x (batch, channel, time) by the notch of each epoch, causally and from rest.

    `centre_hz` is (batch, 1), float64. The result is x − (the band): a vanishing width then
    returns x to the last digit, where filtering by the notch itself would not. With
    b = tan(π·width/sfreq) and w₀ the centre, ``scipy.signal.iirnotch`` leaves of the band

        1 − H = b/(1+b) · (1 − z²) / (1 − s·z + q·z²),  s = 2·cos w₀/(1+b),  q = (1−b)/(1+b)

    in z, the delay by one sample.
    """
    # A notch of 1e-9 Hz changes nothing, and keeps the poles inside the unit circle.
    breadth = math.tan(math.pi * max(width_hz, 1e-9) / sfreq)
    total = 2 / (1 + breadth) * torch.cos(centre_hz * (2 * math.pi / sfreq))
    gain = breadth / (1 + breadth)
    # 1 − z² comes first: it takes off an offset, which the resonator would make large.
    driven = x * -gain
    driven[..., 2:].add_(x[..., :-2], alpha=gain)
    return resonate(driven, total, (1 - breadth) / (1 + breadth)).add_(x)
