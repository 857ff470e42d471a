"""Hypnograms as a semi-Markov chain whose rules change over the night.

A night is wake, then bouts of stages until it is over, then wake. How long a bout lasts depends on
its stage, and which stage follows on the stage and the hours since sleep onset: deep sleep gathers
early and REM late (Borbély 1982, Human Neurobiology 1:195–204). Bouts of real sleep do not last
geometrically, which a Markov chain of epochs would make them (Kemp & Kamphuisen 1986, Sleep
9(3):405–414). People differ in how much of each stage they have.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.data.simulation.bouts import Bouts, bouts_of
from sleepsweep.data.simulation.layout import EPOCH_S
from sleepsweep.metrics import STAGES

# Parts of the night begin at these hours since sleep onset.
HOURS = (0.0, 1.5, 3.0, 4.5, 6.0)
# A bout's length is drawn as one of these ranges, then evenly within it: exact where bouts are
# short and most of them are, coarse in the tail.
LENGTH_EDGES = (
    1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 20, 25, 32, 40, 50, 64, 80, 100, 130, 180, 300, 600, 1200
)  # fmt: skip
QUANTILES = 21
LONG_WAKE = 80  # epochs: the night's clock stands still while somebody is up for 40 minutes
BORROWED = 5.0  # bouts
EDGE_WAKE = 60  # epochs kept before sleep onset and after the last sleep: 30 minutes

Values = NDArray[np.float64]
Stages = NDArray[np.int8]


@dataclass(frozen=True)
class HypnogramModel:
    """What hypnograms are drawn from.

    `first` (stage,): shares of the first stage of sleep; `lengths` (part, stage, range): shares of
    the ranges of `LENGTH_EDGES`; `following` (part, stage, stage): shares of the next stage;
    `night_epochs` (quantile,): from sleep onset to the end of sleep without long wakes;
    `person_sd` (stage,): between people, of the logarithm of how much of a stage they have.
    """

    first: Values
    lengths: Values
    following: Values
    night_epochs: Values
    person_sd: Values

    @classmethod
    def estimate(cls, scored: pd.DataFrame) -> Self:
        """Estimate it from scored epochs, sorted: subject, night, onset_s, stage 0–4."""
        bouts = bouts_of(scored)
        clock = _clock(bouts)
        part = _part(clock)
        owners = scored.groupby(["subject", "night"], sort=False)["subject"].first().to_numpy()
        return cls(
            first=_shares(_counts(bouts.stage[bouts.start == 0])),
            lengths=_lengths(bouts, part),
            following=_following(bouts, part),
            night_epochs=_night_epochs(bouts, clock),
            person_sd=_person_sd(bouts, owners),
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain numbers; `from_json` is its inverse."""
        return {name: np.round(values, 4).tolist() for name, values in vars(self).items()}

    @classmethod
    def from_json(cls, numbers: dict[str, Any]) -> Self:
        """Return the model of `as_json`."""
        return cls(**{name: np.array(values) for name, values in numbers.items()})

    def person(self, generator: np.random.Generator) -> Values:
        """Draw how much more than usual a person has of each stage, (stage,) factors of mean 1."""
        drawn = generator.normal(-0.5 * self.person_sd**2, self.person_sd)
        return np.asarray(np.exp(drawn))

    def draw(self, person: Values, generator: np.random.Generator) -> Stages:
        """Draw a night, int8 (epoch,): wake, sleep until it ends, and wake."""
        asleep = self._asleep(person, generator)
        wake = np.zeros(EDGE_WAKE, dtype=np.int8)
        return np.concatenate([wake, np.trim_zeros(asleep, "b"), wake])

    def _asleep(self, person: Values, generator: np.random.Generator) -> Stages:
        quantiles = np.linspace(0, 1, QUANTILES)
        end = round(float(np.interp(generator.random(), quantiles, self.night_epochs)))
        stage = int(generator.choice(len(STAGES), p=_shares(self.first)))
        lasting = entering = np.sqrt(person)  # half by longer bouts, half by more of them
        clock, bouts = 0, []
        while clock < end:
            part = int(_part(clock))
            length = self._length(part, stage, lasting[stage], generator)
            long_wake = stage == 0 and length >= LONG_WAKE
            bouts.append(np.full(length if long_wake else min(length, end - clock), stage, np.int8))
            clock += 0 if long_wake else length
            stage = int(
                generator.choice(len(STAGES), p=_shares(self.following[part, stage] * entering))
            )
        return np.concatenate(bouts)

    def _length(self, part: int, stage: int, factor: float, generator: np.random.Generator) -> int:
        place = generator.choice(len(LENGTH_EDGES) - 1, p=_shares(self.lengths[part, stage]))
        low, high = LENGTH_EDGES[place : place + 2]
        # What follows the first epoch is stretched, and rounded at random so that short bouts are
        # stretched too, on average.
        return 1 + int((generator.integers(low, high) - 1) * factor + generator.random())


def _clock(bouts: Bouts) -> NDArray[np.int64]:
    """Epochs since sleep onset at which bouts start, (bout,), long wakes not counted."""
    long = np.where((bouts.stage == 0) & (bouts.length >= LONG_WAKE), bouts.length, 0)
    long[bouts.start < 0] = 0
    before = pd.Series(long).groupby(bouts.night).cumsum().to_numpy() - long
    return np.asarray(bouts.start - before)


def _part(clock: Any) -> Any:
    hours = np.maximum(clock, 0) * EPOCH_S / 3600
    return np.searchsorted(HOURS, hours, side="right") - 1


def _counts(stages: NDArray[Any], weights: NDArray[Any] | None = None) -> Values:
    return np.bincount(stages, weights, minlength=len(STAGES)).astype(np.float64)


def _shares(counts: Values) -> Values:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


def _lengths(bouts: Bouts, part: NDArray[np.int64]) -> Values:
    counts = np.zeros((len(HOURS), len(STAGES), len(LENGTH_EDGES) - 1))
    known = bouts.whole & (bouts.start >= 0)
    place = np.searchsorted(LENGTH_EDGES, bouts.length, side="right") - 1
    place = np.minimum(place, len(LENGTH_EDGES) - 2)
    np.add.at(counts, (part[known], bouts.stage[known], place[known]), 1)
    # Where a stage has few bouts in a part of the night, its bouts of the whole night speak too.
    return _shares(counts + BORROWED * _shares(counts.sum(axis=0)))


def _following(bouts: Bouts, part: NDArray[np.int64]) -> Values:
    counts = np.zeros((len(HOURS), len(STAGES), len(STAGES)))
    here = bouts.followed
    here = here[bouts.start[here] >= 0]
    np.add.at(counts, (part[here], bouts.stage[here], bouts.stage[here + 1]), 1)
    return _shares(counts + BORROWED * _shares(counts.sum(axis=0)))


def _night_epochs(bouts: Bouts, clock: NDArray[np.int64]) -> Values:
    asleep = bouts.stage > 0
    ends = pd.Series((clock + bouts.length)[asleep]).groupby(bouts.night[asleep]).max()
    return np.asarray(np.quantile(ends, np.linspace(0, 1, QUANTILES)))


def _person_sd(bouts: Bouts, owners: NDArray[Any]) -> Values:
    """Return the sd between people by the moments of a one-way layout, a night a measurement."""
    counted = (bouts.start >= 0) & ~((bouts.stage == 0) & (bouts.length >= LONG_WAKE))
    epochs = np.zeros((len(owners), len(STAGES)))
    np.add.at(epochs, (bouts.night[counted], bouts.stage[counted]), bouts.length[counted])
    logs = pd.DataFrame(np.log(_shares(epochs) + 0.01)).groupby(owners)
    nights = logs.size()
    between = logs.mean().var() - logs.var()[nights > 1].mean() * (1 / nights).mean()
    return np.asarray(np.sqrt(np.maximum(between.to_numpy(), 0.0)))
