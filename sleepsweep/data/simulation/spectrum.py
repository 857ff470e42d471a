"""A signal that has given band powers in every epoch, with given waveforms inside.

Powers are what the calibration's table holds: Welch's with Hann windows of 4 s, summed over a
band. Waveforms take their share of an epoch's power and noise fills the rest, so that a night with
waveforms has the same spectrum as one without.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len
from scipy.ndimage import uniform_filter1d
from scipy.signal import welch

from sleepsweep.data.simulation.layout import EDGES_HZ, SAMPLES, SFREQ

WINDOW = 4 * SFREQ
# The outer bands' noise goes on, falling as it did, beyond what the table measures.
LOWEST_HZ, HIGHEST_HZ = 0.25, 50.0
CROSS_FADE_S = 1.0
MOST_WAVES = 0.8  # of a band's power in an epoch may be waveforms
LEAST_NOISE = 0.1  # of a band's power is noise, whatever leaks in from its neighbours
TELLING = 0.1  # a band with a smaller share of the waveforms' power does not limit them

Values = NDArray[np.float64]
Signal = NDArray[np.float32]


def band_powers(signal: Signal) -> Values:
    """Return the power of each epoch in each band of `EDGES_HZ`, (epoch, band), of (time,)."""
    frequencies, density = welch(signal.reshape(-1, SAMPLES), SFREQ, nperseg=WINDOW)
    places = np.searchsorted(frequencies, EDGES_HZ)
    summed = np.add.reduceat(density, places, axis=1)[:, : len(EDGES_HZ) - 1]
    return np.asarray(summed * (SFREQ / WINDOW), dtype=np.float64)


def synthesise(powers: Values, waves: Signal, generator: np.random.Generator) -> Signal:
    """Make a signal, float32 (time,), with the powers (epoch, band) and the waveforms (time,).

    Gains are set an epoch at a time and glide over a second to the next, so that the edge of an
    epoch leaves no mark.
    """
    held = band_powers(waves)
    share = _wave_share(held, powers)
    signal = waves * _gliding(np.sqrt(share))
    rest = np.maximum(powers - held * share[:, None], LEAST_NOISE * powers)
    wanted = np.maximum(rest @ np.linalg.inv(leakage()).T, LEAST_NOISE * powers)
    for band in range(powers.shape[1]):
        noise = _band_noise(len(waves), band, generator)
        realised = np.square(noise.reshape(-1, SAMPLES)).mean(axis=1, dtype=np.float64)
        signal += noise * _gliding(np.sqrt(wanted[:, band] / realised))
    return signal


@cache
def leakage() -> Values:
    """Return the measured power, (band, band of the noise), of noise of power 1 in one band."""
    generator = np.random.default_rng(0)
    length = 400 * SAMPLES
    noises = [_band_noise(length, band, generator) for band in range(len(EDGES_HZ) - 1)]
    return np.stack([band_powers(noise).mean(axis=0) for noise in noises], axis=1)


def _wave_share(held: Values, powers: Values) -> Values:
    """How much of the waveforms' power an epoch can take, (epoch,), at most 1."""
    total = held.sum(axis=1, keepdims=True)
    telling = held > TELLING * total
    room = np.where(telling, MOST_WAVES * powers / np.where(telling, held, 1.0), np.inf)
    return np.asarray(np.minimum(room.min(axis=1), 1.0))


def _gliding(gains: Values) -> Signal:
    steps = np.repeat(gains.astype(np.float32), SAMPLES)
    return np.asarray(uniform_filter1d(steps, int(CROSS_FADE_S * SFREQ), mode="nearest"))


def _band_noise(length: int, band: int, generator: np.random.Generator) -> Signal:
    """Gaussian noise of power 1 in a band, (time,), its spectrum falling as 1/f within it."""
    edges = (LOWEST_HZ, *EDGES_HZ[1:-1], HIGHEST_HZ)
    padded = next_fast_len(length, real=True)
    frequencies = np.fft.rfftfreq(padded, 1 / SFREQ)
    inside = slice(*np.searchsorted(frequencies, edges[band : band + 2]))
    normal = generator.standard_normal((2, inside.stop - inside.start), dtype=np.float32)
    spectrum = np.zeros(len(frequencies), dtype=np.complex64)
    spectrum[inside] = (normal[0] + 1j * normal[1]) / np.sqrt(frequencies[inside])
    noise = np.asarray(irfft(spectrum, padded)[:length], dtype=np.float32)
    return np.asarray(noise / noise.std())
