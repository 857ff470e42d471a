"""The joint posterior of all weights, with the standard deviations integrated over.

With few trials a plug-in of the best standard deviations is too sure of itself: importance draws
from the Laplace approximation at their mode stand for them (Rue, Martino & Chopin 2009, JRSS B
71:319–392, by sampling instead of a grid). Given them the weights are normal, so the posterior of
every contrast is a mixture of normals.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sleepsweep_analysis.model.design import Design
from sleepsweep_analysis.model.reml import BOUNDS, Reml, Solution

__all__ = ["Estimate", "Posterior", "fit", "posterior"]

Matrix = NDArray[np.float64]

HYPER_DRAWS = 128
WIDEN = 1.3


@dataclass(frozen=True)
class Estimate:
    """Posterior of contrasts: `mean`, `se`, 95 % `low` and `high`, two-sided `p`."""

    mean: Matrix
    se: Matrix
    low: Matrix
    high: Matrix
    p: Matrix


@dataclass(frozen=True)
class Posterior:
    """Joint posterior of the weights: a mixture of D normals (`solutions`) with `shares` (D,).

    `mode` has the log standard deviations at the mode, in the order of ``reml.names``.
    """

    reml: Reml
    mode: Matrix
    shares: Matrix
    solutions: tuple[Solution, ...]

    @property
    def design(self) -> Design:
        """The design that was fitted."""
        return self.reml.design

    @property
    def sds(self) -> dict[str, float]:
        """Posterior median of each standard deviation, in points."""
        return {name: self.sd_quantile(name, 0.5) for name in self.solutions[0].sds}

    def sd_quantile(self, name: str, q: float) -> float:
        """Quantile of one standard deviation, in points."""
        values = np.array([found.sds[name] for found in self.solutions])
        order = np.argsort(values)
        place = np.searchsorted(np.cumsum(self.shares[order]), q)
        return float(values[order][min(int(place), len(values) - 1)])

    def estimate(self, contrasts: Matrix) -> Estimate:
        """Posterior of ``contrasts @ weights``; `contrasts` has shape (m, W)."""
        mean = np.array([contrasts @ found.mean for found in self.solutions])
        sd = np.array([found.spread(contrasts) for found in self.solutions])
        centre = self.shares @ mean
        se = np.sqrt(self.shares @ (sd**2 + (mean - centre) ** 2))
        below = self.shares @ ndtr(-mean / sd)
        low, high = (_quantile(self.shares, mean, sd, q) for q in (0.025, 0.975))
        return Estimate(centre, se, low, high, 2.0 * np.minimum(below, 1.0 - below))

    def draws(self, count: int, seed: int) -> Matrix:
        """Joint draws of the weights, shape (count, W)."""
        generator = np.random.default_rng(seed)
        numbers = generator.multinomial(count, self.shares)
        parts = [
            found.sample(generator.standard_normal((number, len(found.kept))))
            for found, number in zip(self.solutions, numbers, strict=True)
            if number
        ]
        return np.vstack(parts)


def fit(design: Design, *, seed: int = 0) -> Posterior:
    """Fit the model to `design`; the same seed gives the same posterior."""
    return posterior(Reml(design), seed=seed)


def posterior(reml: Reml, *, seed: int = 0, draws: int = HYPER_DRAWS) -> Posterior:
    """The posterior of `reml`, by so many importance draws of its standard deviations."""
    from scipy.stats import qmc  # loads for half a second: not for those who only import

    mode = reml.mode()
    root = np.linalg.cholesky(np.linalg.inv(reml.curvature(mode)))
    uniform = qmc.Sobol(len(mode), rng=np.random.default_rng(seed)).random(draws)
    z = np.asarray(ndtri(np.clip(uniform, 1e-6, 1.0 - 1e-6)))
    points = np.clip(mode + WIDEN * z @ root.T, *BOUNDS)
    found = tuple(reml.solve(point) for point in points)
    values = [reml.value(point, at) for point, at in zip(points, found, strict=True)]
    return Posterior(reml, mode, _importance(np.array(values), z), found)


def _importance(values: Matrix, z: Matrix) -> Matrix:
    """Shares of the draws: target over proposal, cut at √D times their mean (Ionides 2008)."""
    logs = -values + 0.5 * (z**2).sum(axis=1)
    raw = np.exp(logs - logs.max())
    cut = np.minimum(raw, raw.mean() * np.sqrt(len(raw)))
    return np.asarray(cut / cut.sum())


def _quantile(shares: Matrix, mean: Matrix, sd: Matrix, q: float) -> Matrix:
    """Quantile of each column's mixture of normals, by bisection."""
    low, high = (mean - 9.0 * sd).min(axis=0), (mean + 9.0 * sd).max(axis=0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = shares @ ndtr((middle - mean) / sd) > q
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray(0.5 * (low + high))
