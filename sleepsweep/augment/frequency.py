"""Frequency: what changes the spectrum of the signal."""

import math
from dataclasses import dataclass

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from sleepsweep.augment.base import Augmentation, Dial
from sleepsweep.augment.draws import per_epoch, uniform
from sleepsweep.augment.parameters import of_signal, parameter
from sleepsweep.errors import UserError


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

    Gupta 2025 (SimpleSleepNet), after Demirel and Holz 2023 (NeurIPS, "Finding Order in Chaos").
    """

    dial = Dial("min_lambda", identity=1.0, published=0.5, strongest=0.2)
    needs_partner = True

    min_lambda: float = parameter(0.5, low=0.0, high=1.0)

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        for_magnitude = per_epoch(uniform(x, self.min_lambda, 1.0, generator), x)
        for_phase = per_epoch(uniform(x, self.min_lambda, 1.0, generator), x)
        return mix_spectra(x, partner, for_magnitude, for_phase)


def notch(x: Tensor, centre_hz: Tensor, width_hz: float, sfreq: float) -> Tensor:
    """Filter x (batch, channel, time) by the notch of each epoch, causally and from rest.

    `centre_hz` is (batch, 1), float64. The result is x − (the band): a vanishing width then
    returns x to the last digit, where filtering by the notch itself would not.
    """
    length = x.shape[-1]
    padded = next_fast_len(2 * length + 2, real=True)
    # A notch of 1e-9 Hz changes nothing, and keeps the response away from 0 / 0.
    breadth = math.tan(math.pi * max(width_hz, 1e-9) / sfreq)
    cos_centre = torch.cos(centre_hz * (2 * math.pi / sfreq))
    angle = torch.arange(padded // 2 + 1, device=x.device, dtype=torch.float64)
    angle = angle * (2 * math.pi / padded)
    response = _band(cos_centre, breadth, angle, x.dtype)
    response *= _ended(cos_centre, breadth, angle, length, x.dtype)
    band: Tensor = torch.fft.irfft(torch.fft.rfft(x, n=padded) * response.unsqueeze(1), n=padded)
    return x - band[..., :length]


def _band(cos_centre: Tensor, breadth: float, angle: Tensor, dtype: torch.dtype) -> Tensor:
    """Response (batch, bins) of 1 − H at the angular frequencies w = `angle`, in rad/sample.

    With b = `breadth` = tan(π·width/sfreq) and w₀ the centre, ``scipy.signal.iirnotch`` is
    H = (cos w − cos w₀) / (cos w − cos w₀ + j·b·sin w).
    """
    off_centre = torch.cos(angle) - cos_centre
    in_band = breadth * torch.sin(angle)
    scale = in_band / torch.addcmul(in_band.square(), off_centre, off_centre)
    return torch.complex((in_band * scale).to(dtype), (off_centre * scale).to(dtype))


def _ended(
    cos_centre: Tensor, breadth: float, angle: Tensor, length: int, dtype: torch.dtype
) -> Tensor:
    """Factor (batch, bins) that ends the impulse response after `length` samples.

    It never ends by itself, and would wrap around the grid of bins. Its recursive part obeys
    f[n] + a₁·f[n−1] + a₂·f[n−2] = δ[n]; stopped, 1 − f[L]·z^L + a₂·f[L−1]·z^(L+1) is left of the 1.
    """
    a1, a2 = -2 / (1 + breadth) * cos_centre[:, 0], (1 - breadth) / (1 + breadth)
    step = torch.zeros(len(a1), 2, 2, dtype=a1.dtype, device=a1.device)
    step[:, 0, 0], step[:, 0, 1], step[:, 1, 0] = -a1, -a2, 1.0
    # The power by squaring is accurate for real, complex and double poles alike.
    state: Tensor = torch.linalg.matrix_power(step, length)[:, :, 0].to(dtype)
    one = torch.ones_like(angle)
    delay = torch.polar(one, -angle * length).to(state.dtype.to_complex())
    after = torch.polar(a2 * one, -angle * (length + 1)).to(delay.dtype)
    return 1 - state[:, :1] * delay + state[:, 1:] * after


def mix_spectra(x: Tensor, partner: Tensor, for_magnitude: Tensor, for_phase: Tensor) -> Tensor:
    """Mix (batch, channel, time) epochs; the weights of x are (batch, 1, 1) each."""
    own, other = torch.fft.rfft(x), torch.fft.rfft(partner)
    magnitude = torch.lerp(other.abs(), own.abs(), for_magnitude)
    phase = own.angle()
    difference = phase - other.angle()
    wrapped = difference - 2 * math.pi * torch.ceil(difference / (2 * math.pi) - 0.5)
    # The inverse reads the real part of the constant and Nyquist bins, as the full transform does.
    mixed = torch.polar(magnitude, phase - (1 - for_phase) * wrapped)
    real: Tensor = torch.fft.irfft(mixed, n=x.shape[-1])
    return real
