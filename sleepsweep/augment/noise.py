"""Noise: what adds noise to the signal or smooths it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sleepsweep.augment.base import Augmentation, Dial
from sleepsweep.augment.draws import per_epoch, uniform, whole
from sleepsweep.augment.parameters import alternative, of_signal, parameter
from sleepsweep.augment.units import in_units
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


class Noise(Augmentation, abstract=True):
    """Category of the augmentations of the noise."""

    category = "noise"


@dataclass(frozen=True)
class AverageFiltering(Noise):
    """Moving average over k ~ U{min_kernel, …, max_kernel} samples, same length, zeros outside.

    ``numpy.convolve(x, ones(k) / k, mode="same")`` with k at most L; a `max_kernel` below
    `min_kernel` is the one kernel drawn.

    Gupta 2025 (SimpleSleepNet).
    """

    aliases = ("AverageFilter",)
    dial = Dial("max_kernel", identity=1, published=10, strongest=30)

    max_kernel: int = parameter(10, low=1)
    min_kernel: int = parameter(3, low=1)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        smallest = min(self.min_kernel, self.max_kernel)
        kernel = whole(x, smallest, self.max_kernel, generator)
        longest = min(self.max_kernel, x.shape[-1])
        return moving_average(x, kernel.clamp(max=longest), longest)


@dataclass(frozen=True)
class RandomAdditiveGaussianNoise(Noise):
    """x + white noise N(0, σ²), with one σ ~ U(0, max_sigma_uv) µV for each epoch.

    Instead, `max_sigma_sd` gives the largest σ in standard deviations of the recording; `scale_uv`
    and `scale_sd`, the README's form, one σ for all epochs.

    Gupta 2025 (SimpleSleepNet); Mohsenvand et al. 2020 (PMLR 136:238–253).
    """

    dial = Dial("max_sigma_uv", identity=0.0, published=0.2, strongest=20.0)

    own_draws_by_channel = True

    max_sigma_uv: float = parameter(0.2, low=0.0)
    max_sigma_sd: float | None = alternative("max_sigma_uv", low=0.0)
    scale_uv: float | None = alternative("max_sigma_uv", "max_sigma_sd", low=0.0)
    scale_sd: float | None = alternative("max_sigma_uv", "max_sigma_sd", "scale_uv", low=0.0)
    uv_per_unit: float = of_signal(1.0)
    units_per_sd: float | None = of_signal(None)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        sigma = self._sigma(x, generator)
        white = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        return white.mul_(per_epoch(sigma, x)).add_(x)

    def _sigma(self, x: Tensor, generator: torch.Generator) -> Tensor:
        if self.scale_uv is None and self.scale_sd is None:
            largest = in_units(self, self.max_sigma_uv, self.max_sigma_sd)
            return uniform(x, 0.0, largest, generator)
        fixed = in_units(self, self.scale_uv or 0.0, self.scale_sd)
        return torch.full((len(x), 1), fixed, dtype=torch.float64, device=x.device)


def moving_average(x: Tensor, kernel: Tensor, longest: int) -> Tensor:
    """Average x (batch, channel, time) over `kernel` samples, int64 of shape (batch, 1).

    No kernel is longer than `longest`: so many shifted copies are summed, each epoch weighing them.
    """
    before = longest // 2
    last = (kernel - 1) // 2
    offset = torch.arange(-before, longest - before, device=x.device)
    inside = (offset > last - kernel) & (offset <= last)
    weights = per_epoch(inside / kernel, x).unsqueeze(-1).unbind(-2)
    padded = torch.nn.functional.pad(x, (before, longest - 1 - before))
    moved = padded.unfold(-1, x.shape[-1], 1).unbind(-2)
    total = moved[0] * weights[0]
    for each, weight in zip(moved[1:], weights[1:], strict=True):
        total.addcmul_(each, weight)
    return total
