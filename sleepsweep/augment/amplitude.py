"""Amplitude: what changes the size, the offset or the sign of the signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sleepsweep.augment.base import Augmentation, Dial
from sleepsweep.augment.draws import per_epoch, uniform
from sleepsweep.augment.parameters import alternative, of_signal, parameter
from sleepsweep.augment.units import in_units

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Amplitude(Augmentation, abstract=True):
    """Category of the augmentations of amplitude."""

    category = "amplitude"


@dataclass(frozen=True)
class RandomAmplitudeScaling(Amplitude):
    """x·s with one gain s ~ U(1/max_gain, max_gain) for each epoch.

    Gupta 2025 (SimpleSleepNet); the scaling of Um et al. 2017 (ICMI, doi:10.1145/3136755.3136817).
    """

    aliases = ("RandomAmplitudeScale",)
    dial = Dial("max_gain", identity=1.0, published=2.0, strongest=4.0)

    max_gain: float = parameter(2.0, low=1.0)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        return x * per_epoch(uniform(x, 1 / self.max_gain, self.max_gain, generator), x)


@dataclass(frozen=True)
class RandomDCShift(Amplitude):
    """x + c with one offset c ~ U(−max_shift_uv, max_shift_uv) µV for each epoch.

    `max_shift_sd` gives the largest offset in standard deviations of the recording instead.

    Gupta 2025 (SimpleSleepNet); Mohsenvand et al. 2020 (PMLR 136:238–253).
    """

    dial = Dial("max_shift_uv", identity=0.0, published=10.0, strongest=40.0)

    max_shift_uv: float = parameter(10.0, low=0.0)
    max_shift_sd: float | None = alternative("max_shift_uv", low=0.0)
    uv_per_unit: float = of_signal(1.0)
    units_per_sd: float | None = of_signal(None)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        largest = in_units(self, self.max_shift_uv, self.max_shift_sd)
        return x + per_epoch(uniform(x, -largest, largest, generator), x)


@dataclass(frozen=True)
class SignFlip(Amplitude):
    """−x: the polarity of the derivation is reversed.

    Gupta 2025 (SimpleSleepNet); Rommel et al. 2022 (J. Neural Eng. 19:066020).
    """

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        return -x
