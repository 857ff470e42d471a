"""Temporal: what changes when things happen in the signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sleepsweep.augment.base import Augmentation, Dial
from sleepsweep.augment.blocks import in_blocks
from sleepsweep.augment.draws import normal, unit, whole
from sleepsweep.augment.parameters import alternative, parameter
from sleepsweep.augment.resampling import take
from sleepsweep.augment.rows import pieces
from sleepsweep.augment.warping import warp, warp_smoothly
from sleepsweep.errors import UserError
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


class Temporal(Augmentation, abstract=True):
    """Category of the augmentations of time."""

    category = "temporal"


@dataclass(frozen=True)
class TimeReversal(Temporal):
    """x reversed in time.

    Gupta 2025 (SimpleSleepNet); Rommel et al. 2022 (J. Neural Eng. 19:066020).
    """

    aliases = ("TimeReverse",)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        return x.flip(-1)


@dataclass(frozen=True)
class TimeWarping(Temporal):
    """Stretch each of `n_segments` equal segments by ω ~ U(1/max_stretch, max_stretch).

    The stretched segments are joined and the whole is resampled to L: one piecewise linear map of
    time that keeps the first and the last sample, read by linear interpolation.
    `knot_points` and `sigma`, the README's form, warp smoothly instead: the pace of time is a
    cubic spline through equally spaced knots, both ends among them, whose values are drawn from
    N(1, sigma²) and kept above 0.1.

    Gupta 2025 (SimpleSleepNet); Um et al. 2017 (ICMI, doi:10.1145/3136755.3136817) warp smoothly.
    """

    dial = Dial("max_stretch", identity=1.0, published=2.0, strongest=4.0)

    n_segments: int = parameter(4, low=1)
    max_stretch: float = parameter(2.0, low=1.0)
    knot_points: int | None = alternative("n_segments", "max_stretch", low=4, high=100)
    sigma: float | None = alternative("n_segments", "max_stretch", low=0.0, high=1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.knot_points is None) != (self.sigma is None):
            raise UserError(
                f"TimeWarping: knot_points = {self.knot_points} and sigma = {self.sigma}; smooth "
                "warping needs both, give the other one, too (the README has 5 and 0.1)."
            )

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        if self.knot_points is not None and self.sigma is not None:
            pace = 1 + self.sigma * normal(x, self.knot_points, generator)
            return warp_smoothly(x, pace.clamp(min=0.1))
        lowest = 1 / self.max_stretch
        stretch = lowest + (self.max_stretch - lowest) * unit(x, self.n_segments, generator)
        return warp(x, stretch)


@dataclass(frozen=True)
class Permutation(Temporal):
    """Cut into `n_segments` segments, as ``numpy.array_split`` does, and shuffle them.

    Gupta 2025 (SimpleSleepNet); Um et al. 2017 (ICMI, doi:10.1145/3136755.3136817).
    """

    dial = Dial("n_segments", identity=1, published=4, strongest=16)

    n_segments: int = parameter(4, low=1)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        segments = min(self.n_segments, x.shape[-1])
        return permute(x, unit(x, segments, generator).argsort(dim=1))


@dataclass(frozen=True)
class RandomTimeShift(Temporal):
    """Shift by n ~ U{−max_samples, …, max_samples} samples (later if n > 0) and fill with 0.

    Gupta 2025 (SimpleSleepNet); Mohsenvand et al. 2020 (PMLR 136:238–253).
    """

    dial = Dial("max_samples", identity=0, published=300, strongest=1000)

    max_samples: int = parameter(300, low=0)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        samples = whole(x, -self.max_samples, self.max_samples, generator)
        return shift(x, samples, self.max_samples)


def permute(x: Tensor, order: Tensor) -> Tensor:
    """Join the segments of x (batch, channel, time) in the order (batch, n_segments) of int64."""
    equal = x.shape[-1] % order.shape[1] == 0
    return _permute_equal(x, order) if equal else _permute_samples(x, order)


def _permute_equal(x: Tensor, order: Tensor) -> Tensor:
    """Permute segments that are as long as one another: whole segments are moved, not samples."""
    batch, channels, length = x.shape
    segments = order.shape[1]
    first = torch.arange(0, batch * channels * segments, segments, device=x.device)
    place = first.view(batch, channels, 1) + order.unsqueeze(1)
    moved = x.reshape(-1, length // segments).index_select(0, place.flatten())
    return moved.view(batch, channels, length)


@in_blocks
def _permute_samples(x: Tensor, order: Tensor) -> Tensor:
    """Permute segments that differ by a sample, sample by sample."""
    length, segments = x.shape[-1], order.shape[1]
    number = torch.arange(segments, device=x.device)
    lengths = length // segments + (number < length % segments).long()
    starts = lengths.cumsum(0) - lengths
    ordered = lengths[order]
    moved = starts[order] - (ordered.cumsum(1) - ordered)
    source = moved.flatten().repeat_interleave(ordered.flatten(), output_size=len(x) * length)
    return take(x, source.view(len(x), length).add_(torch.arange(length, device=x.device)))


def shift(x: Tensor, samples: Tensor, largest: int) -> Tensor:
    """Delay x (batch, channel, time) by `samples`, int64 of shape (batch, 1), filling with 0.

    No delay is longer than `largest`, to either side.
    """
    length = x.shape[-1]
    most = min(largest, length)
    with_zeros = torch.nn.functional.pad(x, (most, most))
    return pieces(with_zeros, most - samples.clamp(-most, most), length)
