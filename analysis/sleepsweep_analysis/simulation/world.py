"""A world with known truth: 13 augmentations and a placebo, pairs, size, severities, speed.

The sizes of effects and noise are those of the published study's logs, in macro-F1 points.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["CATEGORIES", "STEPS", "World", "make_world", "without_effects"]

Matrix = NDArray[np.float64]

CATEGORIES = {
    "RandomAmplitudeScaling": "amplitude", "RandomDCShift": "amplitude", "SignFlip": "amplitude",
    "RandomBandStopFilter": "frequency", "TailoredMixup": "frequency",
    "CutoutResize": "masking", "RandomZeroMasking": "masking",
    "AverageFiltering": "noise", "RandomAdditiveGaussianNoise": "noise",
    "TimeReversal": "temporal", "TimeWarping": "temporal", "Permutation": "temporal",
    "RandomTimeShift": "temporal", "Placebo": "placebo",
}  # fmt: skip
NO_DIAL = ("SignFlip", "TimeReversal", "Placebo")
MEANS = {
    "amplitude": 0.3, "frequency": 1.4, "masking": -0.3, "noise": -1.0, "temporal": 1.1,
    "placebo": 0.0,
}  # fmt: skip
STEPS = (250, 750, 2250, 6750)
K = 6
"""Largest size of a random set."""

REAL = np.array([name != "Placebo" for name in CATEGORIES])


@dataclass(frozen=True)
class World:
    """Planted truth for J augmentations (the last one a placebo).

    `effects` (J,), `pairs` (J, J), `curve` over the number of real augmentations (J,), `slopes` and
    `bends` (J,) over severity, and `tilts` (4, J): how an augmentation moves each rung.
    """

    effects: Matrix
    pairs: Matrix
    curve: Matrix
    slopes: Matrix
    bends: Matrix
    tilts: Matrix

    def value(self, on: Matrix, severity: Matrix, rung: int) -> float:
        """Expected macro-F1 of a set (J,) of zeros and ones at its severities, against none."""
        t = severity - 0.5
        dials = on @ (self.slopes * t + self.bends * (t**2 - 1 / 12))
        pairs = 0.5 * on @ self.pairs @ on
        size = self.curve[int(on[REAL].sum())] - self.curve[0]
        return float(on @ self.effects + pairs + size + dials + on @ self.tilts[rung])

    def augmentation_truth(self) -> dict[str, float]:
        """Mean change when each is added to a set of real ones, its size then uniform on 1..K."""
        others = (K - 1) / 2 / (REAL.sum() - 1)
        rise = (self.curve[K] - self.curve[0]) / K * REAL
        truth = self.effects + others * self.pairs.sum(axis=1) + rise
        return dict(zip(CATEGORIES, truth.tolist(), strict=True))

    def category_truth(self) -> dict[str, float]:
        """Mean of `augmentation_truth` over the members of each category."""
        truth = self.augmentation_truth()
        return {
            category: float(np.mean([truth[n] for n, c in CATEGORIES.items() if c == category]))
            for category in MEANS
        }

    def size_truth(self) -> Matrix:
        """m(k) − m(0) for k = 0..K."""
        J, k = int(REAL.sum()), np.arange(K + 1)
        pairs = 0.5 * self.pairs.sum() * k * (k - 1) / (J * (J - 1))
        return np.asarray(self.effects[REAL].mean() * k + pairs + self.curve[k] - self.curve[0])


def make_world(seed: int) -> World:
    """Draw a world with effects."""
    rng = np.random.default_rng([7, seed])
    J, k = len(CATEGORIES), np.arange(len(CATEGORIES))
    dialled = np.array([name not in NO_DIAL for name in CATEGORIES])
    upper = np.triu(rng.normal(0, 0.25, (J, J)), 1) * np.outer(REAL, REAL)
    means = np.array([MEANS[category] for category in CATEGORIES.values()])
    return World(
        effects=(means + rng.normal(0, 0.4, J)) * REAL,
        pairs=upper + upper.T,
        curve=2.0 * (1 - np.exp(-k / 2)) - 0.06 * k**2,
        slopes=rng.normal(0, 0.5, J) * dialled,
        bends=-np.abs(rng.normal(0, 2.0, J)) * dialled,
        tilts=rng.normal(0, 0.6, J) * REAL * np.array([1.0, 0.6, 0.3, 0.0])[:, None],
    )


def without_effects(world: World, *, speed: bool = False) -> World:
    """The same world with no effect at all, or with no other than on the speed of learning."""
    still = {name: np.zeros_like(value) for name, value in vars(world).items()}
    return replace(world, **{**still, "tilts": world.tilts if speed else still["tilts"]})
