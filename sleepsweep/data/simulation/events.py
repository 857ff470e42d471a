"""Where the waveforms of a night stand: events drawn for a hypnogram and added up to a signal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sleepsweep.data.simulation.hypnogram import Stages
from sleepsweep.data.simulation.layout import CHANNELS, SAMPLES, SFREQ
from sleepsweep.data.simulation.waveforms import KINDS, Kind
from sleepsweep.seeds import numpy_generator

Signal = NDArray[np.float32]


@dataclass(frozen=True)
class Habits:
    """How a person's waveforms differ from the usual, as factors: rate, amplitude, frequency."""

    rate: float
    amplitude: float
    frequency: float

    @classmethod
    def draw(cls, generator: np.random.Generator) -> "Habits":
        """Draw a person's: densities differ most, frequencies by some percent."""
        rate, amplitude, frequency = np.exp(generator.normal(0, (0.4, 0.25, 0.04)))
        return cls(float(rate), float(amplitude), float(frequency))


# States within a stage that come and go: eyes closed or open awake, phasic or tonic REM. A kind
# that belongs to one of them occurs twice as often there and not at all elsewhere.
STATES = {"alpha": True, "blink": False, "rapid_eye_movement": True}
STATE_LASTS = 6.0  # epochs on average


def draw_events(stages: Stages, seed: int, subject: int, night: int) -> Signal:
    """Return the waveforms of a night on every channel, float32 (channel, time) in µV."""
    axes = {"seed": seed, "subject": subject}
    state = _states(len(stages), numpy_generator("simulated states", **axes, night=night))
    signal = np.zeros((len(CHANNELS), len(stages) * SAMPLES), dtype=np.float32)
    for name, kind in KINDS.items():
        habits = Habits.draw(numpy_generator("simulated habits", **axes, kind=name))
        rates = np.array(kind.rate)[stages] * habits.rate
        if name in STATES:
            rates *= 2.0 * (state == STATES[name])
        generator = numpy_generator("simulated events", **axes, night=night, kind=name)
        _add(signal, kind, habits, rates, generator)
    return signal


def _add(
    signal: Signal, kind: Kind, habits: Habits, rates: NDArray[np.float64],
    generator: np.random.Generator,
) -> None:  # fmt: skip
    topography = np.array(kind.topography, dtype=np.float32)[:, None]
    epochs = np.repeat(np.arange(len(rates)), generator.poisson(rates))
    starts = np.sort(epochs * SAMPLES + generator.integers(0, SAMPLES, len(epochs)))
    for start in starts:
        wave = _wave(kind, habits, generator)[: signal.shape[1] - start]
        signal[:, start : start + len(wave)] += topography * wave.astype(np.float32)


def _wave(kind: Kind, habits: Habits, generator: np.random.Generator) -> NDArray[np.float64]:
    size, length = np.exp(generator.normal(0, kind.spread, 2))
    seconds = np.clip(kind.duration_s * length, 0.2, 10.0)
    frequency = kind.frequency_hz * habits.frequency * np.exp(generator.normal(0, 0.03))
    times = np.arange(round(seconds * SFREQ)) / SFREQ
    sign = generator.choice([-1.0, 1.0]) if kind.either_sign else 1.0
    amplitude = sign * kind.amplitude_uv * habits.amplitude * size
    return np.asarray(amplitude * kind.shape(times, float(frequency), generator))


def _states(count: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    switches = generator.random(count) < 1 / STATE_LASTS
    return np.asarray((np.cumsum(switches) + generator.integers(2)) % 2 == 0)
