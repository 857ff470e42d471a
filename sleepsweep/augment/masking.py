"""Masking: what removes a part of the signal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sleepsweep.augment.base import Augmentation, Dial
from sleepsweep.augment.blocks import in_blocks
from sleepsweep.augment.draws import unit, whole
from sleepsweep.augment.parameters import alternative, parameter
from sleepsweep.augment.resampling import take
from sleepsweep.augment.rows import ones_until, scale_pieces
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


class Masking(Augmentation, abstract=True):
    """Category of the augmentations that remove a part of the signal."""

    category = "masking"


@dataclass(frozen=True)
class CutoutResize(Masking):
    """Drop one segment and stretch the rest back to the length L of the epoch.

    ⌊1/drop_share⌋ slots of round(drop_share·L) samples lie side by side from the left; one, drawn
    at random, is dropped (a last slot that would stand out is moved in). What is left is
    resampled to L by linear interpolation, first and last samples aligned.

    Gupta 2025 (SimpleSleepNet); after the cutout of DeVries and Taylor 2017 (arXiv:1708.04552).
    """

    dial = Dial("drop_share", identity=0.0, published=0.25, strongest=0.5)

    # More than a half would leave a single slot, and nothing to draw.
    drop_share: float = parameter(0.25, low=0.0, high=0.5)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        length = x.shape[-1]
        dropped = round(self.drop_share * length)
        # Shares such as 1/5 come out of the dial a rounding error too large.
        slots = math.floor(1 / max(self.drop_share, 1e-9) + 1e-9)
        start = whole(x, 0, slots - 1, generator) * dropped
        return cut_and_resize(x, start.clamp(max=length - dropped), dropped)


@dataclass(frozen=True)
class RandomZeroMasking(Masking):
    """Zero one window of n ~ U{0, …, max_samples} samples (at most L) anywhere inside the epoch.

    `masking_ratio`, the README's form, makes every window round(masking_ratio·L) samples instead.

    Gupta 2025 (SimpleSleepNet); cutout of DeVries and Taylor 2017 (arXiv:1708.04552) and, for EEG,
    Mohsenvand et al. 2020 (PMLR 136:238–253).
    """

    dial = Dial("max_samples", identity=0, published=300, strongest=1500)

    max_samples: int = parameter(300, low=0)
    masking_ratio: float | None = alternative("max_samples", low=0.0, high=1.0)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        length = x.shape[-1]
        shortest, longest = 0, min(self.max_samples, length)
        if self.masking_ratio is not None:
            shortest = longest = round(self.masking_ratio * length)
        window = whole(x, shortest, longest, generator)
        # Every start at which the window fits is as likely; their number depends on the window.
        start = (unit(x, 1, generator) * (length - window + 1)).long()
        return zero_window(x, start, window, longest)


@dataclass(frozen=True)
class SmoothTimeMask(Masking):
    """Fade the signal out and in again around one window of `mask_samples` samples (at most L).

    x·(σ(−s·(n−a)) + σ(s·(n−a−mask_samples))) with the logistic σ, a slope s = 1000/L and a start
    a ~ U(0, L − mask_samples) for each epoch.

    Mohsenvand et al. 2020 (PMLR 136:238–253); smooth in Rommel et al. 2022 (J. Neural Eng.
    19:066020); default of braindecode.
    """

    dial = Dial("mask_samples", identity=0, published=100, strongest=1000)

    mask_samples: int = parameter(100, low=0)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        window = min(self.mask_samples, x.shape[-1])
        return fade(x, unit(x, 1, generator) * (x.shape[-1] - window), window)


@dataclass(frozen=True)
class ChannelsDropout(Masking):
    """Zero each channel with probability `p_drop`, independently; needs several channels.

    Saeed et al. 2021 (ICASSP, arXiv:2010.13694); default of braindecode.
    """

    dial = Dial("p_drop", identity=0.0, published=0.2, strongest=0.5)
    min_channels = 2  # of one channel nothing would be left
    own_draws_by_channel = True

    p_drop: float = parameter(0.2, low=0.0, high=1.0)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        dropped = unit(x, x.shape[1], generator) < self.p_drop
        return x.masked_fill(dropped.unsqueeze(-1), 0.0)


def cut_and_resize(x: Tensor, start: Tensor, dropped: int) -> Tensor:
    """Drop `dropped` samples from `start` (batch, 1) on and stretch the rest to the length of x."""
    length = x.shape[-1]
    position = torch.linspace(0, length - dropped - 1, length, dtype=torch.float64, device=x.device)
    left = position.long()
    return _cut_and_read(x, start, left=left, weight=(position - left).to(x.dtype), dropped=dropped)


@in_blocks
def _cut_and_read(
    x: Tensor, start: Tensor, *, left: Tensor, weight: Tensor, dropped: int
) -> Tensor:
    """Drop samples of each epoch and read the rest between `left` (time,) and the next sample."""
    kept = x.shape[-1] - dropped
    # A weight of 0 or 1 takes the one or the other to the bit, and faster than `torch.where`.
    before_cut = ones_until(start, kept, x.dtype).unsqueeze(1)
    rest = x[..., dropped:].lerp(x[..., :kept], before_cut)
    right = (left + 1).clamp_(max=kept - 1)
    before, after = (take(rest, index.expand(len(x), -1)) for index in (left, right))
    return before.lerp(after, weight)


def zero_window(x: Tensor, start: Tensor, window: Tensor, longest: int) -> Tensor:
    """Zero ``x[b, :, start[b]:start[b] + window[b]]``; start and window are (batch, 1).

    No window is longer than `longest`: only so many samples of each epoch are touched.
    """
    first = start.clamp(max=x.shape[-1] - longest)
    before = ones_until(start - first, longest, x.dtype)
    hidden = ones_until(start + window - first, longest, x.dtype).sub_(before)
    return scale_pieces(x, first, 1 - hidden)


@in_blocks
def fade(x: Tensor, start: Tensor, window: int) -> Tensor:
    """Fade x (batch, channel, time) over `window` samples from `start` (batch, 1), float64."""
    length = x.shape[-1]
    slope = 1000 / length
    # In float64 up to here: float32 has four digits left behind the point at sample 3000.
    after_start = slope * (torch.arange(length, device=x.device) - start)
    before, behind = (-after_start).to(x.dtype), (after_start - slope * window).to(x.dtype)
    return x * (before.sigmoid() + behind.sigmoid()).unsqueeze(1)
