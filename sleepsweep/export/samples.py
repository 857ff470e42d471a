"""Epochs to try a network on that are of nobody: they may lie in an exported folder."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sleepsweep.data.recording import Recording, crop_wake, normalised, resampled
from sleepsweep.data.simulation.nights import simulate
from sleepsweep.learn.rows import spread_evenly
from sleepsweep.model import About

WAKE_MIN = 30.0


def simulated_epochs(about: About, count: int) -> NDArray[np.float32]:
    """Return `count` epochs (epoch, channel, time) of a simulated night, such as the model takes.

    They are spread evenly over the night. Every channel is simulated Fpz-Cz of another time,
    whatever the model's are called.
    """
    night = _night()
    # At the model's frequency, or the next at which epochs of 30 s are whole numbers of samples.
    at_rate = resampled(night, round(about.sfreq * night.epoch_s) / night.epoch_s)
    signal = normalised(at_rate, about.normalize)[0].epochs.reshape(-1)
    samples = round(about.sfreq * about.epoch_s)
    epochs = signal[: len(signal) // samples * samples].reshape(-1, samples)
    rows = spread_evenly(np.arange(len(epochs)), count)
    later = rows[:, None] + np.arange(len(about.derivations))
    return np.ascontiguousarray(epochs[later % len(epochs)])


@lru_cache(maxsize=1)
def _night() -> Recording:
    return crop_wake(simulate(seed=0, subject=0, night=1, channels=("Fpz-Cz",)), WAKE_MIN)
