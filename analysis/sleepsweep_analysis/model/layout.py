"""Where each weight of the model stands, and the rows that turn weights into what is estimated.

A row of coefficients over the weights is a *contrast*: every estimate of the analysis is one.
"""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sleepsweep_analysis.comparable import PLACEBO
from sleepsweep_analysis.model.covariates import Covariate
from sleepsweep_analysis.model.dials import Dial

__all__ = ["LENGTH", "Layout", "size_covariance"]

Matrix = NDArray[np.float64]

LENGTH = 2.0
"""Length-scale of the Gaussian process over size, in augmentations."""


@dataclass(frozen=True)
class Layout:
    """The weights of one model, in batches by name (`counts`), flat ones first.

    `blocks` and `early` name the blocks and the rungs before the last one; sizes run from 0 to
    `top`, and the reference distribution of sets draws their size uniformly from
    `smallest`..`largest`.
    """

    pool: tuple[str, ...]
    category: tuple[str, ...]
    blocks: tuple[int, ...]
    early: tuple[int, ...]
    top: int
    smallest: int
    largest: int
    dials: tuple[Dial, ...] = ()
    covariates: tuple[Covariate, ...] = ()
    offsets: tuple[int, ...] = field(default=())

    @cached_property
    def real(self) -> tuple[int, ...]:
        """Places in the pool of what is no placebo."""
        return tuple(j for j, name in enumerate(self.category) if name != PLACEBO)

    @cached_property
    def placebos(self) -> tuple[int, ...]:
        """Places in the pool of the placebos."""
        return tuple(j for j in range(len(self.pool)) if j not in self.real)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Categories of real augmentations, in pool order."""
        return tuple(dict.fromkeys(self.category[j] for j in self.real))

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Every pair of real augmentations, as places in the pool."""
        return tuple(combinations(self.real, 2))

    @cached_property
    def counts(self) -> dict[str, int]:
        """Number of weights in each batch, in order."""
        by_covariate = sum(len(covariate.average()) for covariate in self.covariates)
        return {
            "block": len(self.blocks), "rung": len(self.early), "offset": sum(self.offsets),
            "base": 1, "placebo": len(self.placebos), "category": len(self.categories),
            "within": len(self.real), "pair": len(self.pairs), "size": self.top + 1,
            "setting": 2 * bool(self.dials), "dose": len(self.dials), "bend": len(self.dials),
            "covariate": by_covariate * len(self.real),
            "tilt": len(self.early) * (len(self.pool) + by_covariate),
        }  # fmt: skip

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where each batch stands."""
        ends = np.cumsum(list(self.counts.values()))
        starts = ends - list(self.counts.values())
        return {
            name: slice(int(a), int(b))
            for name, a, b in zip(self.counts, starts, ends, strict=True)
        }

    @property
    def width(self) -> int:
        """Number of weights."""
        return sum(self.counts.values())

    @cached_property
    def size_root(self) -> Matrix:
        """L with L Lᵀ the covariance of the size curve: h = L a, a independent."""
        covariance = size_covariance(self.top + 1) + 1e-9 * np.eye(self.top + 1)
        return np.asarray(np.linalg.cholesky(covariance), dtype=float)

    def row(self, **batches: Matrix) -> Matrix:
        """A contrast with the coefficients given for some batches, 0 elsewhere."""
        row = np.zeros(self.width)
        for name, coefficients in batches.items():
            row[self.places[name]] = coefficients
        return row

    def plain(self, j: int) -> Matrix:
        """b_j alone: the effect of augmentation `j` but for size and pairs."""
        if j in self.placebos:
            return self.row(placebo=_unit(self.placebos.index(j), len(self.placebos)))
        own = self.real.index(j)
        place = self.categories.index(self.category[j])
        return self.row(
            base=np.ones(1),
            category=_unit(place, len(self.categories)),
            within=_unit(own, len(self.real)),
            covariate=self._by_covariate(own, self._average_covariates()),
        )

    def added(self, j: int) -> Matrix:
        """Mean change when `j` is added to a set: size after adding uniform on a..K, set uniform.

        b_j + (h(K) − h(a−1))/(K−a+1) + mean number of others, (a+K)/2 − 1, times the mean of g_jl.
        """
        if j in self.placebos:
            return self.plain(j)
        others = ((self.smallest + self.largest) / 2 - 1) / max(len(self.real) - 1, 1)
        pairs = np.array([others * (j in pair) for pair in self.pairs])
        ends = [_unit(k, self.top + 1) for k in (self.smallest - 1, self.largest)]
        rise = (ends[1] - ends[0]) / (self.largest - self.smallest + 1)
        return self.plain(j) + self.row(pair=pairs, size=rise @ self.size_root)

    def of_size(self, k: int) -> Matrix:
        """m(k): mean over uniform sets of `k` real augmentations, against the empty set's 0.

        k·mean(b) + h(k) + k(k−1)/2·mean(g).
        """
        mean = np.mean([self.plain(j) for j in self.real], axis=0)
        pairs = np.full(len(self.pairs), k * (k - 1) / 2 / max(len(self.pairs), 1))
        curve = _unit(k, self.top + 1) @ self.size_root
        return np.asarray(k * mean + self.row(pair=pairs, size=curve))

    def together(self, pair: tuple[int, int]) -> Matrix:
        """f(jk) − f(j) − f(k) + f(none) = g_jk + h(2) − 2h(1) + h(0)."""
        own = np.array([float(found == pair) for found in self.pairs])
        curve = np.zeros(self.top + 1)
        curve[:3] = (1.0, -2.0, 1.0)
        return self.row(pair=own, size=curve @ self.size_root)

    def member_of(self, category: str) -> Matrix:
        """The effect of a category's average member, less the member's own part (for a new one)."""
        members = [j for j in self.real if self.category[j] == category]
        row = np.mean([self.added(j) for j in members], axis=0)
        row[self.places["within"]] = 0.0
        return np.asarray(row)

    def at_dial(self, d: int, t: float, curve: float) -> Matrix:
        """Change of dial number `d` at position `t`, with bend `curve`, from its range's mean."""
        unit = _unit(d, len(self.dials))
        return self.row(setting=np.array([t, curve]), dose=t * unit, bend=curve * unit)

    def at_level(self) -> Matrix:
        """The average block at the last rung, covariates at their first levels."""
        return self.row(block=np.full(len(self.blocks), 1 / len(self.blocks)))

    def changed_by(self, j: int, covariate: int, columns: Matrix) -> Matrix:
        """Change of the effect of real augmentation `j` with `columns` of one covariate."""
        parts = [
            columns if i == covariate else 0 * found.average()
            for i, found in enumerate(self.covariates)
        ]
        return self.row(covariate=self._by_covariate(self.real.index(j), np.concatenate(parts)))

    def offset_at(self, covariate: int, values: Matrix) -> Matrix:
        """The main effect of one covariate at `values` of its offsets."""
        parts = [
            values if i == covariate else np.zeros(count) for i, count in enumerate(self.offsets)
        ]
        return self.row(offset=np.concatenate(parts))

    def _average_covariates(self) -> Matrix:
        parts = [np.zeros(0), *(found.average() for found in self.covariates)]
        return np.asarray(np.concatenate(parts), dtype=float)

    def _by_covariate(self, own: int, columns: Matrix) -> Matrix:
        """Coefficients of the batch `covariate`: augmentation by augmentation."""
        return np.asarray(np.kron(_unit(own, len(self.real)), columns), dtype=float)


def size_covariance(count: int) -> Matrix:
    """exp(−(k − l)²/(2·2²)) for sizes k, l in 0..count−1 (Rasmussen & Williams 2006, eq. 4.9)."""
    k = np.arange(count, dtype=float)
    return np.asarray(np.exp(-((k[:, None] - k[None, :]) ** 2) / (2.0 * LENGTH**2)), dtype=float)


def _unit(place: int, count: int) -> Matrix:
    return np.asarray(np.arange(count) == place, dtype=float)
