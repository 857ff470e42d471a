"""What recording adds to the brain's signal: gain, drift, polarity, electrode pops, line noise.

None of it tells a stage. The strengths are ordinary ones of ambulatory recordings, fixed before
any sweep was run on the nights.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from sleepsweep.data.simulation.layout import SFREQ

GAIN_SD = 0.15  # of its logarithm: impedance, placement
REVERSED = 0.05  # of the recordings have a derivation with its electrodes exchanged
DRIFT_UV, DRIFT_S = 8.0, 20.0  # sd and time scale of slow wandering
POPS, POP_UV, POP_S = 4.0, 250.0, 0.5  # a night; their size, and how fast they fall back
LINE_UV, LINE_HZ = 1.0, 49.9  # what the amplifier's filter leaves of the mains

Signal = NDArray[np.float32]


def disturbed(signal: Signal, generator: np.random.Generator) -> Signal:
    """Return a channel as recorded, float32 (time,) in µV."""
    sign = -1.0 if generator.random() < REVERSED else 1.0
    gain = sign * np.exp(generator.normal(0, GAIN_SD))
    recorded = signal * np.float32(gain) + _drift(len(signal), generator)
    for start in generator.integers(0, len(signal), generator.poisson(POPS)):
        _pop(recorded[start:], generator)
    line = LINE_UV * np.exp(generator.normal(0, 0.5))
    phase = 2 * np.pi * (LINE_HZ / SFREQ * np.arange(len(signal)) + generator.random())
    return np.asarray(recorded + line * np.sin(phase), dtype=np.float32)


def _drift(length: int, generator: np.random.Generator) -> Signal:
    wanders = generator.standard_normal(length, dtype=np.float32)
    for _ in range(2):  # twice, or its corners would show
        wanders = uniform_filter1d(wanders, int(DRIFT_S * SFREQ))
    size = DRIFT_UV * np.exp(generator.normal(0, 0.5))
    return np.asarray(wanders * np.float32(size / wanders.std()))


def _pop(rest: Signal, generator: np.random.Generator) -> None:
    rest = rest[: int(10 * POP_S * SFREQ)]
    size = generator.choice([-1, 1]) * POP_UV * np.exp(generator.normal(0, 0.5))
    rest += (size * np.exp(-np.arange(len(rest)) / (POP_S * SFREQ))).astype(np.float32)
