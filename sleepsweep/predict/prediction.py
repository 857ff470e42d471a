"""What a model makes of a night: the probability of each stage in each epoch."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.data.edf.hypnogram import UNSCORED
from sleepsweep.errors import UserError
from sleepsweep.learn.staging import Staging
from sleepsweep.metrics import STAGES
from sleepsweep.model import Model
from sleepsweep.predict.night import Night

UNKNOWN = "?"
"""What stands for the stage of an epoch that cannot be used."""


@dataclass(frozen=True)
class Prediction:
    """The hypnogram that a model predicts.

    `probabilities`, (epoch, 5), are of W, N1, N2, N3 and R in every epoch of the night, and NaN
    where an epoch cannot be used.
    """

    night: Night
    probabilities: NDArray[np.float32]

    @cached_property
    def stages(self) -> NDArray[np.int8]:
        """The most probable stage of each epoch, (epoch,), 0–4; -1 where it cannot be used."""
        known = self.known
        found = np.full(len(known), UNSCORED, dtype=np.int8)
        found[known] = self.probabilities[known].argmax(axis=1)
        return found

    @property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of the predicted stage, (epoch,), from 0.2 to 1."""
        return np.asarray(self.probabilities.max(axis=1))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which epochs can be used, (epoch,)."""
        return np.asarray(np.isfinite(self.probabilities).all(axis=1))

    @property
    def onsets_s(self) -> NDArray[np.float64]:
        """When each epoch begins, (epoch,), in seconds after the recording's start."""
        steps = np.arange(len(self.probabilities), dtype=np.float64)
        return self.night.first_s + self.night.epoch_s * steps

    def table(self) -> pd.DataFrame:
        """A row an epoch: its number from 0, `onset` and `duration` in s, stage, probabilities.

        These are in columns named by the stages, and followed by the confidence. The columns
        `onset`, `duration` and `stage` are those by which hypnograms are read.
        """
        names = np.array([*STAGES, UNKNOWN])
        columns = {
            "epoch": np.arange(len(self.stages)), "onset": self.onsets_s,
            "duration": self.night.epoch_s, "stage": names[self.stages],
            **dict(zip(STAGES, self.probabilities.T, strict=True)), "confidence": self.confidence,
        }  # fmt: skip
        return pd.DataFrame(columns)


def predict(model: Model, night: Night) -> Prediction:
    """Return what the model, an encoder with a classifier, predicts of the night.

    Raises `UserError` for a model that gives no numbers, because its training diverged.
    """
    network = model.network
    assert isinstance(network, Staging)
    found = network.probabilities(lambda rows: night.epochs[rows], np.arange(len(night.epochs)))
    if not np.isfinite(found).all():
        raise UserError(
            f"{night.path}: the model's probabilities are no numbers, as those of a network whose "
            "training has diverged. Train it again, with a lower learning rate."
        )
    every = np.full((night.count, len(STAGES)), np.nan, dtype=np.float32)
    every[night.positions] = found
    return Prediction(night, every)
