"""Epochs with something taken out: a frequency band, or a window of time."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

from sleepsweep.augment.frequency import FTSurrogate
from sleepsweep.learn.bandpowers import BANDS

Fill = Literal["surrogate", "zero"]

NAMES = ("delta", "theta", "alpha", "sigma", "beta")

FADE_S = 0.1
"""A window's edges fade over this: a step would be a click, which has every frequency."""


class Occlusion(ABC):
    """Takes something out of epochs."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What is taken out, in a word."""

    @abstractmethod
    def __call__(self, epochs: Tensor, generator: Generator) -> Tensor:
        """Return epochs (batch, channel, time) without it; `epochs` is not modified."""


@dataclass(frozen=True)
class BandOcclusion(Occlusion):
    """Removes the frequencies from `low_hz` to below `high_hz`, without a shift of phase.

    The bins of the Fourier transform of the whole epoch are set to zero, so that the bands of
    `bands_of` together take out all there is. Like every sharp filter it rings beside steps.
    """

    band: str
    low_hz: float
    high_hz: float
    sfreq: float

    @property
    def name(self) -> str:
        """The band's name."""
        return self.band

    def __call__(self, epochs: Tensor, generator: Generator) -> Tensor:
        """See `Occlusion`; nothing is drawn."""
        samples = epochs.shape[-1]
        frequencies = torch.fft.rfftfreq(samples, 1 / self.sfreq, dtype=torch.float64)
        removed = (frequencies >= self.low_hz) & (frequencies < self.high_hz)
        spectrum = torch.fft.rfft(epochs).masked_fill(removed.to(epochs.device), 0)
        kept: Tensor = torch.fft.irfft(spectrum, n=samples)
        return kept


@dataclass(frozen=True)
class WindowOcclusion(Occlusion):
    """Replaces an epoch from `start_s` to `end_s`, by nothing or by noise of its own spectrum.

    ``surrogate`` is the epoch with all phases drawn anew (Theiler et al. 1992, Physica D 58:77–94):
    its power stays, what happens in the window does not, and the network sees a signal of a kind
    that it knows. ``zero`` is the centre of a normalised recording: it takes out power as well, and
    no recording is flat. Edges fade over 0.1 s within the window.
    """

    start_s: float
    end_s: float
    sfreq: float
    fill: Fill = "surrogate"

    @property
    def name(self) -> str:
        """The window, as ``4–6 s``."""
        return f"{self.start_s:g}–{self.end_s:g} s"

    def __call__(self, epochs: Tensor, generator: Generator) -> Tensor:
        """See `Occlusion`; a surrogate's phases are drawn anew for each epoch."""
        kept = self._kept(epochs.shape[-1]).to(epochs)
        if self.fill == "zero":
            return epochs * kept
        other = FTSurrogate(phase_noise=1.0)(epochs, generator)
        # Weights of signals that are independent: their powers add up, not their amplitudes.
        return epochs * kept + other * (1 - kept.square()).sqrt()

    def _kept(self, samples: int) -> Tensor:
        """The weight of each sample: 1 outside, 0 inside, half a cosine at the edges."""
        seconds = (torch.arange(samples, dtype=torch.float64) + 0.5) / self.sfreq
        depth = torch.minimum(seconds - self.start_s, self.end_s - seconds)
        return (1 + torch.cos(math.pi * (depth / FADE_S).clamp(0, 1))) / 2


def bands_of(sfreq: float) -> tuple[BandOcclusion, ...]:
    """Return the bands of a signal, which are all of its spectrum, lowest first.

    ``drift`` is what is slower than delta, with the mean; ``gamma`` goes up to half of `sfreq`,
    beyond which there is nothing.
    """
    nyquist = sfreq / 2
    edges = dict(zip(NAMES, BANDS, strict=True))
    lowest, highest = BANDS[0][0], BANDS[-1][1]
    everything = {"drift": (0.0, lowest), **edges, "gamma": (highest, math.inf)}
    return tuple(
        BandOcclusion(name, low, min(high, math.nextafter(nyquist, math.inf)), sfreq)
        for name, (low, high) in everything.items()
        if low < nyquist
    )


def windows_of(
    epoch_s: float, window_s: float, sfreq: float, fill: Fill
) -> tuple[WindowOcclusion, ...]:
    """Return the windows of `window_s` that an epoch is divided into; the last may be shorter."""
    count = math.ceil(round(epoch_s / window_s, 6))
    starts = [place * window_s for place in range(count)]
    return tuple(
        WindowOcclusion(start, min(start + window_s, epoch_s), sfreq, fill) for start in starts
    )
