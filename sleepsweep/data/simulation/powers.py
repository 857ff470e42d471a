"""Log band powers of a night's epochs: who sleeps, which night, which stage, and what drifts.

A log power is the stage's mean + the person's offset + the night's offset + a residual. Offsets
have a part that all stages share and a part of each stage. Residuals are what is left of an epoch
when its night's mean of its stage is taken away, and that is how they are drawn; they are a slow
process, which partly starts anew when the stage changes, plus what is new in each epoch.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.data.simulation.bouts import night_numbers
from sleepsweep.data.simulation.hypnogram import Stages
from sleepsweep.data.simulation.layout import BANDS
from sleepsweep.metrics import STAGES

FEWEST = 10  # epochs of a stage in a night for its mean to be a measurement
LEVEL_STAGES = (0, 1, 2, 4)
LAGS = np.array([2, 5, 10])  # epochs at which the slow process is measured

Values = NDArray[np.float64]


@dataclass(frozen=True)
class PowerModel:
    """What log band powers are drawn from; a feature is a band of a channel.

    `mean` (stage, feature); `person` and `night` (1 + stage, feature, feature): covariances of the
    offset that all stages share and of each stage's own; `residual` (stage, feature, feature);
    `slow` (feature,): the slow process's share of the variance; `decay`: its correlation over one
    epoch; `carried`: over a change of stage.
    """

    mean: Values
    person: Values
    night: Values
    residual: Values
    slow: Values
    decay: Values
    carried: Values

    @classmethod
    def estimate(cls, scored: pd.DataFrame, features: list[str]) -> Self:
        """Estimate it from scored epochs, sorted: subject, night, onset_s, stage, `features`."""
        stage = scored["stage"].to_numpy(dtype=np.int64)
        owner = night_numbers(scored)
        powers = levelled(scored[features].to_numpy(dtype=np.float64), stage, owner)
        mean = np.stack([powers[stage == one].mean(axis=0) for one in range(len(STAGES))])
        residuals = pd.DataFrame(powers - mean[stage])
        groups = residuals.groupby([owner, stage])
        usual = groups[0].transform("size").to_numpy() >= FEWEST
        left = (residuals - groups.transform("mean")).to_numpy()
        subjects = scored.groupby(owner)["subject"].first().to_numpy()
        nights = groups.mean()[groups.size() >= FEWEST]
        person, night = _offsets(nights, subjects)
        chosen = [usual & (stage == one) for one in range(len(STAGES))]
        residual = np.stack([np.cov(left[rows].T) for rows in chosen])
        return cls(mean, person, night, residual, *_dynamics(left, residual, stage, owner))

    def as_json(self) -> dict[str, Any]:
        """Return plain numbers; `from_json` is its inverse."""
        return {name: np.round(values, 4).tolist() for name, values in vars(self).items()}

    @classmethod
    def from_json(cls, numbers: dict[str, Any]) -> Self:
        """Return the model of `as_json`."""
        return cls(**{name: np.array(values) for name, values in numbers.items()})

    def draw_person(self, generator: np.random.Generator) -> Values:
        """Draw a person's offsets, (stage, feature)."""
        return _drawn_offsets(self.person, generator)

    def draw(self, stages: Stages, person: Values, generator: np.random.Generator) -> Values:
        """Draw the log powers of a night, (epoch, feature), of a person with these offsets."""
        offsets = self.mean + person + _drawn_offsets(self.night, generator)
        roots = np.stack([_root(covariance) for covariance in self.residual])
        normal = self._normal(stages, generator)
        left = np.einsum("efg,eg->ef", roots[stages], normal)
        for stage in range(len(STAGES)):
            own = stages == stage
            if own.sum() >= FEWEST:
                left[own] -= left[own].mean(axis=0)
        return np.asarray(offsets[stages] + left)

    def _normal(self, stages: Stages, generator: np.random.Generator) -> Values:
        """Draw standard normal values, (epoch, feature), correlated over time."""
        shape = (len(stages), len(self.slow))
        fresh, slow = generator.standard_normal(shape), generator.standard_normal(shape)
        kept = np.where(np.diff(stages, prepend=stages[0]) == 0, self.decay, self.carried)
        for place in range(1, len(stages)):
            new = np.sqrt(1 - kept[place] ** 2) * slow[place]
            slow[place] = kept[place] * slow[place - 1] + new
        return np.asarray(np.sqrt(self.slow) * slow + np.sqrt(1 - self.slow) * fresh)


def levelled(powers: Values, stage: NDArray[np.int64], owner: NDArray[np.int64]) -> Values:
    """Return log powers (epoch, feature) with the level of each night's channels made equal.

    A recording that was z-scored is louder throughout the less it holds of loud stages. Its level
    is therefore taken over stages with equal weights: the logarithm of a channel's whole power in
    the stages that every night has.
    """
    bands = powers.reshape(len(powers), -1, len(BANDS))
    whole = pd.DataFrame(np.log(np.exp(bands).sum(axis=2)))
    usual = np.isin(stage, LEVEL_STAGES)
    by_stage = whole[usual].groupby([owner[usual], stage[usual]]).mean()
    level = by_stage.groupby(level=0).mean()
    shift = (level - level.mean()).reindex(owner).fillna(0.0).to_numpy()
    return np.asarray((bands - shift[:, :, None]).reshape(powers.shape))


def _offsets(nights: pd.DataFrame, subjects: NDArray[Any]) -> tuple[Values, Values]:
    """Covariances between people and between nights of one person, from the nights' stage means.

    `nights` has rows (night, stage). By moments: people's means vary by the person and half of the
    night, two nights of one person by the night alone.
    """
    shared = nights.groupby(level=0).mean()
    own = nights - shared.reindex(nights.index.get_level_values(0)).to_numpy()
    stage = own.index.get_level_values(1)
    parts = [shared] + [own[stage == one].droplevel(1) for one in range(len(STAGES))]
    found = [_person_and_night(part, subjects[part.index.to_numpy()]) for part in parts]
    return np.stack([person for person, _ in found]), np.stack([night for _, night in found])


def _person_and_night(nights: pd.DataFrame, subjects: NDArray[Any]) -> tuple[Values, Values]:
    groups = nights.groupby(subjects)
    count = groups.size()
    within = (nights - groups.transform("mean")).to_numpy()
    night = within.T @ within / (count - 1).sum()
    between = np.cov(groups.mean().to_numpy().T) - night * (1 / count).mean()
    return _positive(between), night


def _positive(covariance: Values) -> Values:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def _root(covariance: Values) -> Values:
    """Return the symmetric square root, which keeps each feature close to its own draw."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def _drawn_offsets(covariances: Values, generator: np.random.Generator) -> Values:
    roots = np.stack([_root(covariance) for covariance in covariances])
    drawn = np.einsum("sfg,sg->sf", roots, generator.standard_normal(covariances.shape[:2]))
    return np.asarray(drawn[0] + drawn[1:])


def _dynamics(
    left: Values, residual: Values, stage: NDArray[np.int64], owner: NDArray[np.int64]
) -> tuple[Values, Values, Values]:
    inverse = np.stack([np.linalg.inv(_root(covariance)) for covariance in residual])
    normal = np.einsum("efg,eg->ef", inverse[stage], left)
    changes = np.cumsum(np.diff(stage, prepend=stage[0]) != 0)
    same = {lag: _correlation(normal, owner, changes, lag, changed=0) for lag in LAGS}
    means = np.array([np.mean(same[lag]) for lag in LAGS])
    slope = np.polyfit(LAGS, np.log(means), 1)[0]
    decay = np.exp(slope)
    slow = np.clip(same[LAGS[0]] / decay ** LAGS[0], 0.0, 1.0)
    carried = _correlation(normal, owner, changes, 1, changed=1).mean() / slow.mean()
    return slow, np.array(decay), np.array(np.clip(carried, 0.0, 1.0))


def _correlation(
    normal: Values, owner: NDArray[np.int64], changes: NDArray[np.int64], lag: int, changed: int
) -> Values:
    """Correlation over `lag` epochs of a night between which the stage changed so many times."""
    pairs = (owner[lag:] == owner[:-lag]) & (changes[lag:] - changes[:-lag] == changed)
    return np.asarray((normal[lag:][pairs] * normal[:-lag][pairs]).mean(axis=0))
