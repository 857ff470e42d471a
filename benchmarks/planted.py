"""Worlds whose best category is known, and sweeps of them that are run without Ray or training.

A policy is worth, at the published settings and at full length::

    bound · tanh((Σ w_j e_j + Σ w_j w_k g_jk) / bound)          (no bound: the sum itself)
    w_j = (1 − (1 − p)²) · (1 − (1 − 2s)²), the last factor 1 from s = ½ on

with effects e, pairs g, and the strength w of an augmentation: the share of positive pairs in which
it touches a view, and how near its severity s is to the published one, ½. Weaker settings thus
weaken, and stronger ones add nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepsweep.augment import augmentation
from sleepsweep.forecast import drawn, simulated
from sleepsweep.plan import Plan
from sleepsweep.results import ResultsTable
from sleepsweep.trial import MemberSpec
from sleepsweep.yamlfile import parse_value
from sleepsweep_analysis.simulation import PublishedNoise

Matrix = NDArray[np.float64]

PATH = Path(__file__).with_suffix(".yaml")
LARGEST, SETS = 6, 20_000
"""The sets that a truth is a mean over: their largest size, and how many are drawn."""


@dataclass(frozen=True)
class World:
    """Planted truth, in points of macro-F1; the keys of ``worlds`` in ``planted.yaml``.

    `beside` gives, for a category, what each pair of one of its augmentations and one of another
    category adds.
    """

    about: str
    effects: Mapping[str, float]
    beside: Mapping[str, float] = field(default_factory=dict)
    bound: float | None = None

    @cached_property
    def categories(self) -> list[str]:
        """The category of each augmentation, in the order of `effects`."""
        return [augmentation(name).category for name in self.effects]

    @cached_property
    def pairs(self) -> Matrix:
        """What pairs add, symmetric, shape (augmentations, augmentations)."""
        gains = np.array([self.beside.get(category, 0.0) for category in self.categories])
        other = np.array(self.categories)[:, None] != np.array(self.categories)[None, :]
        return np.asarray((gains[:, None] + gains[None, :]) * other)

    def value(self, strengths: Matrix) -> Matrix:
        """What policies (..., augmentations) are worth against none."""
        effects = np.array(list(self.effects.values()))
        pairs = 0.5 * ((strengths @ self.pairs) * strengths).sum(axis=-1)
        total = strengths @ effects + pairs
        return np.asarray(total if self.bound is None else self.bound * np.tanh(total / self.bound))

    def strengths(self, policy: Sequence[MemberSpec]) -> Matrix:
        """How strong each augmentation is in a policy, shape (augmentations,)."""
        found = {member.name: _strength(member) for member in policy}
        return np.array([found.get(name, 0.0) for name in self.effects])

    def gains(self, largest: int = LARGEST) -> dict[str, float]:
        """What an augmentation of each category adds to a random set, the best category first.

        As the analysis defines it: the size with it is uniform from 1 to the `largest`, the others
        are any, all at the published settings.
        """
        generator, count = np.random.default_rng(0), len(self.effects)
        sizes = generator.integers(1, largest + 1, SETS)
        ranks = generator.random((SETS, count)).argsort(axis=1).argsort(axis=1)
        gains: dict[str, list[float]] = {}
        for j, category in enumerate(self.categories):
            # Ranks of the others, as if j had none.
            places = ranks - (ranks > ranks[:, [j]])
            others = (places < sizes[:, None] - 1).astype(float)
            others[:, j] = 0.0
            added = self.value(others + np.eye(count)[j]) - self.value(others)
            gains.setdefault(category, []).append(float(added.mean()))
        means = {category: float(np.mean(each)) for category, each in gains.items()}
        return dict(sorted(means.items(), key=lambda item: -item[1]))


def _strength(member: MemberSpec) -> float:
    severity = 0.5 if member.severity is None else member.severity
    near = 1 - (1 - 2 * min(severity, 0.5)) ** 2
    return float((1 - (1 - member.p) ** 2) * near)


@dataclass(frozen=True)
class Planted:
    """What ``planted.yaml`` says: worlds by name, and how effects show at early rungs."""

    growth: float
    tilt: float
    worlds: Mapping[str, World]
    sizes: Sequence[int]
    seeds: Sequence[int]
    sweep: Mapping[str, Any]
    alone: Mapping[str, Any]
    variants: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, path: Path = PATH) -> "Planted":
        """Read the file."""
        tree = parse_value(path.read_text())
        worlds = {name: World(**each) for name, each in tree.pop("worlds").items()}
        return cls(worlds=worlds, **tree)

    def study(self, plan: Plan, world: World, seed: int) -> ResultsTable:
        """The table of the sweep of a `plan` in a `world`, with the noise of this `seed`."""
        return simulated(plan, self._score(plan, world, seed))

    def _score(self, plan: Plan, world: World, seed: int) -> Callable[[int, int, int, int], float]:
        noise, generator = PublishedNoise(seed), np.random.default_rng([13, seed])
        tilts = self.tilt * generator.standard_normal(len(world.effects))
        strengths = np.array([world.strengths(trial.policy) for _, trial in drawn(plan)])
        values = world.value(strengths)

        reached = [float((step / plan.rungs[-1]) ** self.growth) for step in plan.rungs]

        def score(place: int, block: int, rung: int, rungs: int) -> float:
            tilt = (1 - reached[rung]) * float(strengths[place] @ tilts)
            points = reached[rung] * float(values[place]) + tilt
            return noise.score(place, block, rung, rungs) + points / 100

        return score
