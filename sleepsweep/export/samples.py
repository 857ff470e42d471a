"""Epochs to try a network on that are of nobody: they may lie in an exported folder."""

import numpy as np
from numpy.typing import NDArray

from sleepsweep.data.recording import crop_wake, normalised, resampled
from sleepsweep.data.simulation.nights import simulate
from sleepsweep.learn.rows import spread_evenly
from sleepsweep.model import About

SLEEP_MIN = 30.0


def simulated_epochs(about: About, count: int) -> NDArray[np.float32]:
    """Return `count` epochs (epoch, channel, time) of a simulated night, such as the model takes.

    They are spread evenly over the night. Every channel is a simulated one, whatever the model's
    are called.
    """
    night = crop_wake(simulate(seed=0, subject=0, night=1), SLEEP_MIN)
    # At the model's frequency, whose epochs of 30 s may be no whole number of samples.
    at_rate = resampled(night, round(about.sfreq * night.epoch_s) / night.epoch_s)
    values = normalised(at_rate, about.normalize)[0].epochs
    signal = values.transpose(1, 0, 2).reshape(values.shape[1], -1)
    samples = round(about.sfreq * about.epoch_s)
    starts = spread_evenly(np.arange(signal.shape[1] // samples), count) * samples
    channels = signal[np.arange(len(about.derivations)) % len(signal)]
    return np.stack([channels[:, start : start + samples] for start in starts])
