"""Frequency: what changes the spectrum of the signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sleepsweep.augment.base import Augmentation, Dial
from sleepsweep.augment.draws import beta, per_epoch, uniform, unit
from sleepsweep.augment.notch import notch
from sleepsweep.augment.parameters import alternative, of_signal, parameter
from sleepsweep.augment.spectra import mix_spectra, shift_frequencies, turn_phases
from sleepsweep.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Frequency(Augmentation, abstract=True):
    """Category of the augmentations of the spectrum."""

    category = "frequency"


@dataclass(frozen=True)
class RandomBandStopFilter(Frequency):
    """Stop a band `width_hz` wide whose low edge is drawn, e ~ U(low_hz, high_hz), in each epoch.

    A second-order notch at the band's centre e + width_hz/2, with Q = centre/width_hz, applied
    forwards from rest: ``scipy.signal.lfilter(*scipy.signal.iirnotch(centre, Q, sfreq), x)``.

    Gupta 2025 (SimpleSleepNet); Mohsenvand et al. 2020 (PMLR 136:238–253); the notch is that of
    Orfanidis, Introduction to Signal Processing, 1996.
    """

    dial = Dial("width_hz", identity=0.0, published=2.0, strongest=8.0)

    width_hz: float = parameter(2.0, low=0.0)
    low_hz: float = parameter(0.5, low=0.0)
    high_hz: float = parameter(28.0, low=0.0)
    sfreq: float = of_signal(100.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low_hz > self.high_hz:
            raise UserError(
                f"RandomBandStopFilter: low_hz = {self.low_hz:g} is above "
                f"high_hz = {self.high_hz:g}; the low edge is drawn between them."
            )
        if self.high_hz + self.width_hz >= self.sfreq / 2:
            raise UserError(
                f"RandomBandStopFilter: the band reaches high_hz + width_hz = "
                f"{self.high_hz + self.width_hz:g} Hz; it must stay below half the sampling "
                f"frequency, {self.sfreq / 2:g} Hz. Lower high_hz or the severity."
            )

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        low_edge = uniform(x, self.low_hz, self.high_hz, generator)
        return notch(x, low_edge + self.width_hz / 2, self.width_hz, self.sfreq)


@dataclass(frozen=True)
class TailoredMixup(Frequency):
    """Mix the spectrum of each epoch with its partner's: magnitudes and phases apart.

    |X| ← λa·|X| + (1−λa)·|R| and phase ← P − (1−λp)·wrap(P − Pr), wrapped to (−π, π], with λa
    and λp ~ U(min_lambda, 1), independent; then back to a real signal of the same length.
    `alpha` draws both λ ~ Beta(alpha, alpha) instead; ``wrap_phase=False`` leaves out the wrap.
    The README's form is alpha 0.2 without the wrap.

    Gupta 2025 (SimpleSleepNet), after Demirel and Holz 2023 (NeurIPS, "Finding Order in Chaos").
    """

    dial = Dial("min_lambda", identity=1.0, published=0.5, strongest=0.2)
    needs_partner = True

    min_lambda: float = parameter(0.5, low=0.0, high=1.0)
    # A smaller alpha would draw numbers that float64 cannot tell from 0.
    alpha: float | None = alternative("min_lambda", low=0.05)
    wrap_phase: bool = parameter(True)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        for_magnitude = per_epoch(self._weight(x, generator), x)
        for_phase = per_epoch(self._weight(x, generator), x)
        return mix_spectra(x, partner, for_magnitude, for_phase, wrap=self.wrap_phase)

    def _weight(self, x: Tensor, generator: torch.Generator) -> Tensor:
        if self.alpha is not None:
            return beta(x, self.alpha, generator)
        return uniform(x, self.min_lambda, 1.0, generator)


@dataclass(frozen=True)
class FTSurrogate(Frequency):
    """Turn the phase of each frequency by φ ~ U(−phase_noise·π, phase_noise·π), independent.

    At phase_noise 1, braindecode's default, nothing but the amplitudes of the spectrum is left:
    nothing is stronger, so that it is severity 1, and ½, severity ½, is the middle of the strengths
    that Rommel et al. compare. They draw from U(0, 2π·phase_noise), which also turns all by one
    mean phase; the interval around 0 is as wide, and distortion grows with it. Channels turn alike.

    Schwabedal et al. 2018 (arXiv:1806.08675); Rommel et al. 2022 (J. Neural Eng. 19:066020).
    """

    dial = Dial("phase_noise", identity=0.0, published=0.5, strongest=1.0)

    phase_noise: float = parameter(0.5, low=0.0, high=1.0)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        turns = unit(x, x.shape[-1] // 2 + 1, generator) - 0.5
        return turn_phases(x, self.phase_noise * turns)


@dataclass(frozen=True)
class FrequencyShift(Frequency):
    """Shift all frequencies by Δf ~ U(−max_shift_hz, max_shift_hz), one for each epoch.

    The real part of the analytic signal times exp(2πj·Δf·t).

    Rommel et al. 2022 (ICLR, "CADDA", arXiv:2106.13695); default of braindecode.
    """

    dial = Dial("max_shift_hz", identity=0.0, published=2.0, strongest=5.0)

    max_shift_hz: float = parameter(2.0, low=0.0)
    sfreq: float = of_signal(100.0)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        shift_hz = uniform(x, -self.max_shift_hz, self.max_shift_hz, generator)
        return shift_frequencies(x, shift_hz / self.sfreq)
