"""Whole simulated nights of one derivation, calibrated on real ones.

Stages follow a Markov chain; the log band powers of an epoch are the stage's mean + the subject's
offset + a Gaussian residual; the signal is Gaussian noise with those band powers. The numbers are
in ``simulated.json``, which names their source; `sleepsweep.data.calibration` makes them.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.fft import irfft, next_fast_len
from scipy.ndimage import uniform_filter1d

from sleepsweep.data.recording import Epochs, Recording
from sleepsweep.metrics import STAGES
from sleepsweep.part import PartSpec
from sleepsweep.seeds import numpy_generator

GENERATOR_VERSION = 1  # part of a store's key: raise it when the same seed gives other nights
SFREQ = 100
EPOCH_S = 30
CHANNEL = "Fpz-Cz"
SAMPLES = SFREQ * EPOCH_S
FEWEST_EPOCHS, MOST_EPOCHS = 840, 1000  # 7 h to 8 h 20 min
CROSS_FADE_S = 1.0
# The calibration's recordings were z-scored, so the absolute scale is a nominal choice, not an
# estimate: sleep EEG swings by some tens of µV, and people differ by about a third.
UV_PER_UNIT = 20.0
SUBJECT_GAIN_SD = 0.3  # of its natural logarithm

Values = NDArray[np.float64]


class SimulatedSpec(PartSpec):
    """How many simulated subjects and nights. Subject k is the same in studies of any size."""

    subjects: int = Field(default=10, ge=1)
    nights: int = Field(default=1, ge=1, le=2)
    seed: int = 0


@dataclass(frozen=True)
class Calibration:
    """The numbers of ``simulated.json``; stages in the order of `STAGES`.

    `first_stage` (stage,) and `transitions` (stage, stage) are shares; `mean` (stage, band),
    `within` (stage, band, band) and `between` (band, band) are of log band powers; `bands_hz` is
    (band, 2), the edges; `digest` identifies the file.
    """

    first_stage: Values
    transitions: Values
    mean: Values
    within: Values
    between: Values
    bands_hz: Values
    digest: str


@cache
def calibration() -> Calibration:
    """Return the committed calibration."""
    text = (files("sleepsweep.data") / "simulated.json").read_bytes()
    numbers = json.loads(text)
    within = numbers["log_power_covariance"]
    return Calibration(
        first_stage=np.array(numbers["first_stage"]),
        transitions=np.array(numbers["transitions"]),
        mean=np.array(numbers["log_power_mean"]),
        within=np.array([within[stage] for stage in STAGES]),
        between=np.array(numbers["subject_offset_covariance"]),
        bands_hz=np.array(list(numbers["bands_hz"].values())),
        digest=hashlib.sha256(text).hexdigest()[:16],
    )


@dataclass(frozen=True)
class SimulatedSource:
    """The nights of a `SimulatedSpec`, made one at a time."""

    spec: SimulatedSpec

    def recordings(self) -> Iterator[Recording]:
        """Yield every night of every subject."""
        for subject in range(self.spec.subjects):
            for night in range(1, self.spec.nights + 1):
                yield simulate(self.spec.seed, subject, night)

    def fingerprint(self) -> dict[str, Any]:
        """What the nights depend on: the spec, the calibration and the generator's version."""
        versions = {"calibration": calibration().digest, "generator": GENERATOR_VERSION}
        return {**self.spec.model_dump(), **versions}


def simulate(seed: int, subject: int, night: int) -> Recording:
    """Simulate one night at 100 Hz in µV, of subject ``sim000`` for 0, ``sim001`` for 1, ….

    The draws depend on seed and subject (offset, gain) or on seed, subject and night (the rest).
    """
    person = numpy_generator("simulated subject", seed=seed, subject=subject)
    offset = person.multivariate_normal(np.zeros(len(calibration().between)), calibration().between)
    gain_uv = UV_PER_UNIT * np.exp(person.normal(0.0, SUBJECT_GAIN_SD))
    generator = numpy_generator("simulated night", seed=seed, subject=subject, night=night)
    stages = draw_hypnogram(generator)
    epochs = synthesise(draw_log_powers(stages, offset, generator), generator)
    epochs *= np.float32(gain_uv)
    return Recording(
        subject=f"sim{subject:03d}",
        night=night,
        epochs=epochs,
        stages=stages,
        positions=np.arange(len(stages), dtype=np.int32),
        sfreq=float(SFREQ),
        channels=(CHANNEL,),
        unit="uV",
        source=f"simulated night {night} of sim{subject:03d}, seed {seed}",
    )


def draw_hypnogram(generator: np.random.Generator) -> NDArray[np.int8]:
    """Draw a night's stages, (epoch,), from the Markov chain."""
    numbers = calibration()
    count = int(generator.integers(FEWEST_EPOCHS, MOST_EPOCHS, endpoint=True))
    cumulative = np.cumsum(numbers.transitions, axis=1)
    cumulative /= cumulative[:, -1:]  # the committed numbers are rounded
    stages = np.empty(count, dtype=np.int8)
    stages[0] = generator.choice(len(STAGES), p=numbers.first_stage / numbers.first_stage.sum())
    for place, uniform in enumerate(generator.random(count - 1), start=1):
        stages[place] = np.searchsorted(cumulative[stages[place - 1]], uniform, side="right")
    return stages


def draw_log_powers(
    stages: NDArray[np.int8], offset: Values, generator: np.random.Generator
) -> Values:
    """Draw the natural-log integrated power of each epoch's bands, (epoch, band), in units²."""
    numbers = calibration()
    normal = generator.standard_normal((len(stages), len(offset)))
    roots = np.linalg.cholesky(numbers.within)
    residuals = np.einsum("ebc,ec->eb", roots[stages], normal)
    return np.asarray(numbers.mean[stages] + offset + residuals)


def synthesise(log_powers: Values, generator: np.random.Generator) -> Epochs:
    """Make a signal, (epoch, 1, time), whose epochs have the band powers (epoch, band) given.

    Each band is one continuous night of Gaussian noise, its spectrum falling as 1/f within the
    band. Its gain is set an epoch at a time, so that the power *realised* in the epoch is the one
    drawn, and glides over a second to the next, so that the edge of an epoch leaves no mark.
    """
    length = len(log_powers) * SAMPLES
    signal = np.zeros(length, dtype=np.float32)
    for (low_hz, high_hz), log_power in zip(calibration().bands_hz, log_powers.T, strict=True):
        noise = _band_noise(length, low_hz, high_hz, generator)
        realised = np.square(noise.reshape(-1, SAMPLES)).mean(axis=1, dtype=np.float64)
        steps = np.repeat(np.sqrt(np.exp(log_power) / realised).astype(np.float32), SAMPLES)
        signal += noise * uniform_filter1d(steps, int(CROSS_FADE_S * SFREQ), mode="nearest")
    return signal.reshape(-1, 1, SAMPLES)


def _band_noise(
    length: int, low_hz: float, high_hz: float, generator: np.random.Generator
) -> NDArray[np.float32]:
    padded = next_fast_len(length, real=True)
    frequencies = np.fft.rfftfreq(padded, 1 / SFREQ)
    inside = slice(*np.searchsorted(frequencies, [low_hz, high_hz]))
    count = len(frequencies[inside])
    normal = generator.standard_normal((2, count), dtype=np.float32)
    spectrum = np.zeros(len(frequencies), dtype=np.complex64)
    spectrum[inside] = (normal[0] + 1j * normal[1]) / np.sqrt(frequencies[inside])
    noise = np.asarray(irfft(spectrum, padded)[:length], dtype=np.float32)
    noise /= noise.std()
    return noise
