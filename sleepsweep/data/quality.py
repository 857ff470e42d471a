"""How clean an epoch is: a number that is recorded beside it and never used to drop it."""

import numpy as np
from numpy.typing import NDArray

# Sleep EEG of a robust sd of some 20 µV rarely leaves ±200 µV; movements and loose electrodes do.
CLEAN_SD = 10.0
FLAT_SD = 1e-3  # a signal that varies by less than this share of the recording's sd carries nothing

Values = NDArray[np.float64]


def epoch_quality(
    epochs: NDArray[np.float32], epoch_s: float, centre: Values, spread: Values
) -> NDArray[np.float32]:
    """Return the share of each epoch's seconds that are clean, (epoch,), in [0, 1].

    `epochs` is (epoch, channel, time); `centre` and `spread`, (channel,), are the recording's
    median and robust standard deviation in the same unit. A second is clean when every channel
    varies in it (its range is at least 0.001 robust sd) and stays within 10 robust sd of the
    median. An epoch is cut into ``round(epoch_s)`` equal parts, at least one.
    """
    samples = epochs.shape[2]
    seconds = max(1, min(round(epoch_s), samples // 2))
    starts = np.arange(seconds) * samples // seconds
    highest = np.maximum.reduceat(epochs, starts, axis=2)
    lowest = np.minimum.reduceat(epochs, starts, axis=2)
    middle, scale = centre[:, None], spread[:, None]
    varies = highest - lowest >= FLAT_SD * scale
    swing = np.maximum(highest - middle, middle - lowest)
    clean = (varies & (swing <= CLEAN_SD * scale)).all(axis=1)
    return np.asarray(clean.mean(axis=1), dtype=np.float32)
