"""Operations on the spectra of epochs: mixing two, turning phases, shifting frequencies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sleepsweep.augment.blocks import in_blocks
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


@in_blocks
def mix_spectra(
    x: Tensor, partner: Tensor, for_magnitude: Tensor, for_phase: Tensor, *, wrap: bool = True
) -> Tensor:
    """Mix (batch, channel, time) epochs; the weights of x are (batch, 1, 1) each.

    With `wrap` phases go the shorter way round from one to the other.
    """
    own, phase = _polar(x)
    other, other_phase = _polar(partner)
    magnitude = torch.lerp(other, own, for_magnitude)
    difference = phase - other_phase
    if wrap:
        difference = difference - 2 * math.pi * torch.ceil(difference / (2 * math.pi) - 0.5)
    phase = phase - (1 - for_phase) * difference
    # Of the mean and the Nyquist frequency the real part counts, as in the full transform.
    imaginary = _without_ends(magnitude * phase.sin(), x.shape[-1])
    mixed = torch.complex(magnitude * phase.cos(), imaginary)
    real: Tensor = torch.fft.irfft(mixed, n=x.shape[-1])
    return real


def _polar(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return magnitude and phase of the spectrum of x; three times as fast as abs and angle."""
    spectrum = torch.fft.rfft(x)
    # Adding 0 turns −0 to 0: a negative real number is at π, never at −π.
    real, imaginary = spectrum.real.contiguous(), spectrum.imag + 0.0
    magnitude = torch.addcmul(real.square(), imaginary, imaginary).sqrt()
    return magnitude, torch.atan2(imaginary, real)


@in_blocks
def turn_phases(x: Tensor, turns: Tensor) -> Tensor:
    """Turn the phase of each frequency of x (batch, channel, time) by `turns`, in whole turns.

    `turns` is (batch, L // 2 + 1), float64, and serves every channel. The mean and, where L is
    even, the Nyquist frequency have no phase to turn: they stay.
    """
    length = x.shape[-1]
    turns = _without_ends(turns.clone(), length)
    angle = (2 * math.pi * turns).to(x.dtype).unsqueeze(1)
    turned = torch.fft.rfft(x) * torch.complex(angle.cos(), angle.sin())
    real: Tensor = torch.fft.irfft(turned, n=length)
    return real


@in_blocks
def shift_frequencies(x: Tensor, turns_per_sample: Tensor) -> Tensor:
    """Shift every frequency of x (batch, channel, time): Re(analytic(x)·exp(2πj·n·turns)).

    `turns_per_sample` is (batch, 1), float64: the shift in Hz over the sampling frequency. The
    analytic signal x + j·H is that of ``scipy.signal.hilbert`` over the epoch.
    """
    length = x.shape[-1]
    # H lacks the mean and the Nyquist frequency.
    turned = _without_ends(torch.fft.rfft(x) * -1j, length)
    hilbert = torch.fft.irfft(turned, n=length)
    turns = turns_per_sample * torch.arange(length, device=x.device)
    # Whole turns are taken off before the dtype of the epochs cuts the digits.
    angle = (2 * math.pi * (turns - turns.round())).to(x.dtype).unsqueeze(1)
    shifted: Tensor = torch.cos(angle) * x - torch.sin(angle) * hilbert
    return shifted


def _without_ends(bins: Tensor, length: int) -> Tensor:
    """Set bins (..., L // 2 + 1) of the mean and, where L is even, of the Nyquist frequency to 0.

    In place. They are real in the spectrum of a real signal; of an imaginary part the inverse on a
    CPU takes no notice, but what cuFFT does with it is not defined.
    """
    bins[..., 0] = 0
    if length % 2 == 0:
        bins[..., -1] = 0
    return bins
