"""Runs of one stage: the unit in which hypnograms are measured, drawn and compared."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.data.simulation.layout import EPOCH_S


@dataclass(frozen=True)
class Bouts:
    """The bouts of many nights, one after the other.

    All are (bout,): `stage` 0–4; `length` in epochs; `start` in epochs since sleep onset, negative
    before it; `night` counts nights from 0; `whole` is false where a bout touches the edge of the
    scored part, so that its true length is unknown.
    """

    stage: NDArray[np.int64]
    length: NDArray[np.int64]
    start: NDArray[np.int64]
    night: NDArray[np.int64]
    whole: NDArray[np.bool_]

    @property
    def followed(self) -> NDArray[np.int64]:
        """Indices of the bouts that another bout of the same night follows directly."""
        directly = self.start[:-1] + self.length[:-1] == self.start[1:]
        return np.flatnonzero((np.diff(self.night) == 0) & directly)


def bouts_of(scored: pd.DataFrame) -> Bouts:
    """Return the bouts of a table of scored epochs, sorted: subject, night, onset_s, stage.

    An epoch that is missing from the table ends a bout: over a gap nobody knows what happened.
    """
    stage = scored["stage"].to_numpy(dtype=np.int64)
    night = night_numbers(scored)
    place = np.round(scored["onset_s"].to_numpy() / EPOCH_S).astype(np.int64)
    place -= _sleep_onsets(stage, night, place)[night]
    gap = (np.diff(night) != 0) | (np.diff(place) != 1)
    starts = np.flatnonzero(np.concatenate([[True], gap | (np.diff(stage) != 0)]))
    ends = np.append(starts[1:], len(stage))
    after_gap = np.concatenate([[True], gap])[starts]
    before_gap = np.append(gap, True)[ends - 1]
    return Bouts(
        stage[starts], ends - starts, place[starts], night[starts], ~(after_gap | before_gap)
    )


def night_numbers(scored: pd.DataFrame) -> NDArray[np.int64]:
    """Return the number of each row's night, (row,), in the order in which nights appear."""
    return np.asarray(scored.groupby(["subject", "night"], sort=False).ngroup(), dtype=np.int64)


def _sleep_onsets(
    stage: NDArray[np.int64], night: NDArray[np.int64], place: NDArray[np.int64]
) -> NDArray[np.int64]:
    asleep = stage > 0
    first = pd.Series(place[asleep]).groupby(night[asleep]).first()
    every = pd.Series(place).groupby(night).first()  # of a night without sleep: its start
    return first.reindex(every.index).fillna(every).to_numpy(dtype=np.int64)
