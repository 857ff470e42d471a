"""The waveforms by which experts score stages, and the movements that disturb them.

Each kind is a shape in time with a rate for each stage, an amplitude and a topography. The numbers
are the literature's, named beside each kind, and were fixed before any sweep was run on the nights.
They say how strong a waveform would be; `sleepsweep.data.simulation.spectrum` then keeps it within
the power that the epoch was drawn to have.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sawtooth
from scipy.signal.windows import tukey

Samples = NDArray[np.float64]
Shape = Callable[[Samples, float, np.random.Generator], Samples]


@dataclass(frozen=True)
class Kind:
    """One kind of waveform.

    `shape` makes a wave of peak 1 from the times in seconds since its start, its frequency in Hz
    (of those that have one) and a generator. `rate` is events an epoch in W, N1, N2, N3, R, in the
    `state` of that stage in which they occur (`sleepsweep.data.simulation.events`); `duration_s`,
    `frequency_hz` and `amplitude_uv` are the medians, which single events vary by the factors
    exp(N(0, spread²)); `topography` is the gain on Fpz-Cz, Pz-Oz and the horizontal EOG.
    """

    shape: Shape
    rate: tuple[float, float, float, float, float]
    duration_s: float
    amplitude_uv: float
    topography: tuple[float, float, float]
    frequency_hz: float = 0.0
    spread: float = 0.3
    either_sign: bool = False


def _spindle(t: Samples, hz: float, generator: np.random.Generator) -> Samples:
    return np.asarray(np.hanning(len(t)) * np.sin(2 * np.pi * hz * t))


def _alpha(t: Samples, hz: float, generator: np.random.Generator) -> Samples:
    phase = generator.uniform(0, 2 * np.pi)
    return np.asarray(tukey(len(t), 0.5) * np.sin(2 * np.pi * hz * t + phase))


def _bumps(t: Samples, *bumps: tuple[float, float, float]) -> Samples:
    """Gaussian bumps, each (height, centre, width), the times as shares of the duration."""
    place = t / t[-1]
    return np.asarray(sum(h * np.exp(-(((place - c) / w) ** 2)) for h, c, w in bumps))


def _k_complex(t: Samples, hz: float, generator: np.random.Generator) -> Samples:
    return _bumps(t, (0.15, 0.1, 0.05), (-1.0, 0.3, 0.1), (0.6, 0.6, 0.18))


def _slow_wave(t: Samples, hz: float, generator: np.random.Generator) -> Samples:
    return _bumps(t, (-1.0, 0.3, 0.17), (0.8, 0.7, 0.19))


def _vertex_wave(t: Samples, hz: float, generator: np.random.Generator) -> Samples:
    return _bumps(t, (0.25, 0.25, 0.1), (-1.0, 0.45, 0.12), (0.35, 0.7, 0.15))


def _sawtooth(t: Samples, hz: float, generator: np.random.Generator) -> Samples:
    return np.asarray(tukey(len(t), 0.5) * sawtooth(2 * np.pi * hz * t, width=0.8))


def _saccade(t: Samples, hz: float, generator: np.random.Generator) -> Samples:
    # A step that the amplifier's high-pass filter lets fall back.
    return np.asarray((1 - np.exp(-t / 0.03)) * np.exp(-t / 0.4) * tukey(len(t), 0.2))


def _slow_roll(t: Samples, hz: float, generator: np.random.Generator) -> Samples:
    return np.asarray(np.sin(2 * np.pi * t / t[-1]) * np.hanning(len(t)) ** 0.5)


def _blink(t: Samples, hz: float, generator: np.random.Generator) -> Samples:
    return _bumps(t, (1.0, 0.4, 0.18), (-0.15, 0.75, 0.15))


def _movement(t: Samples, hz: float, generator: np.random.Generator) -> Samples:
    noise = generator.standard_normal(len(t))
    sway = np.cumsum(generator.standard_normal(len(t)))
    sway -= np.linspace(sway[0], sway[-1], len(t))
    both = sway / (np.abs(sway).max() + 1e-9) + 0.2 * noise
    return np.asarray(both * np.hanning(len(t)))


KINDS: dict[str, Kind] = {
    # Purcell et al. 2017, Nature Communications 8:15930: 2–4 spindles a minute, 0.5–1.5 s long.
    "spindle": Kind(_spindle, (0, 0, 1.6, 0.8, 0), 0.9, 25, (1.0, 0.45, 0.15), 13.2),
    # Halász 2005, Sleep Medicine Reviews 9(6):461–475: 1–3 K-complexes a minute of N2, > 75 µV.
    "k_complex": Kind(_k_complex, (0, 0, 0.9, 0.3, 0), 1.0, 110, (1.0, 0.35, 0.35)),
    # AASM manual (Iber et al. 2007): waves of 0.5–2 Hz above 75 µV over at least 20 % of N3.
    "slow_wave": Kind(_slow_wave, (0, 0, 0.8, 11, 0), 1.1, 90, (1.0, 0.5, 0.45)),
    # AASM manual: sharp waves over Cz shorter than 0.5 s, in N1.
    "vertex_wave": Kind(_vertex_wave, (0, 0.8, 0.2, 0, 0), 0.4, 60, (1.0, 0.35, 0.1)),
    # AASM manual: trains of triangular waves of 2–6 Hz in REM.
    "sawtooth": Kind(_sawtooth, (0, 0, 0, 0, 0.7), 2.5, 25, (1.0, 0.4, 0.2), 3.0, 0.2),
    # Carskadon & Dement 2011: bursts of rapid eye movements in REM; EOG of 50–200 µV.
    "rapid_eye_movement": Kind(
        _saccade, (1.5, 0, 0, 0, 5.0), 1.2, 80, (0.35, 0.05, 1.0), either_sign=True
    ),
    # AASM manual: slow rolling movements of more than 0.5 s at the onset of sleep.
    "slow_eye_movement": Kind(
        _slow_roll, (1.0, 2.5, 0, 0, 0), 3.0, 70, (0.2, 0.05, 1.0), either_sign=True
    ),
    # Blinks: some 10–15 a minute with open eyes, 0.2–0.4 s, largest at the forehead.
    "blink": Kind(_blink, (6.0, 0, 0, 0, 0), 0.35, 90, (0.9, 0.05, 0.25)),
    # AASM manual: trains of 8–13 Hz with closed eyes, largest over the occiput.
    "alpha": Kind(_alpha, (6.0, 0.8, 0, 0, 0.3), 2.5, 25, (0.45, 1.0, 0.2), 9.8),
    # Body movements with bursts of muscle activity, mostly awake.
    "movement": Kind(_movement, (0.15, 0.04, 0.012, 0.008, 0.02), 5.0, 150, (1, 1, 1), 0.0, 0.5),
}
