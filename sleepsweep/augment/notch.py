"""The notch filter of a batch of epochs, each with its own centre."""

import math

import torch
from torch import Tensor

from sleepsweep.augment.blocks import in_blocks


@in_blocks
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
    gained = x * (breadth / (1 + breadth))
    total = 2 / (1 + breadth) * torch.cos(centre_hz * (2 * math.pi / sfreq))
    band = _resonate(gained - _delayed(gained, 2), total, (1 - breadth) / (1 + breadth))
    return x - band


def _resonate(x: Tensor, total: Tensor, product: float) -> Tensor:
    """Filter x by 1 / (1 − s·z + q·z²), of which `total` s is (batch, 1) and `product` is q.

    Not sample by sample but by doubling, as with z = zⁿ

        1 / (1 − s·z + q·z²) = (1 + s·z + q·z²) / (1 − (s² − 2q)·z² + q²·z⁴):

    each step squares the poles, whose sum and product s and q are, and doubles the delay. Once it
    is longer than the epoch, the denominator is 1.
    """
    length, delay = x.shape[-1], 1
    while delay < length:
        before = x
        x = before.clone()
        x[..., delay:].addcmul_(total.to(x.dtype).unsqueeze(1), before[..., :-delay])
        if 2 * delay < length:
            x[..., 2 * delay :].add_(before[..., : -2 * delay], alpha=product)
        total, product, delay = total.square() - 2 * product, product * product, 2 * delay
    return x


def _delayed(x: Tensor, samples: int) -> Tensor:
    return torch.nn.functional.pad(x, (samples, 0))[..., : x.shape[-1]]
