"""The restricted likelihood of the model's standard deviations, and its analytic gradient.

All weights β stand in one vector: flat ones (blocks, rungs, offsets of covariates), ones of known
variance (b0 and placebos, 30²) and batches of k exchangeable weights N(0, τ_k²). With the rows made
independent (`sleepsweep_analysis.model.noise`), group g of n_g rows has variance v_g and sums G_g
= MᵀM, q_g = Mᵀy, s_g = yᵀy, and with Λ⁻¹ the prior precisions, 0 for flat weights::

    A = Σ_g G_g/v_g + Λ⁻¹     β̂ = A⁻¹ Σ_g q_g/v_g     cov(β | y) = A⁻¹
    2L = Σ_g (n_g log v_g + s_g/v_g) + Σ_k m_k log τ_k² + log|A| − β̂·A β̂ + Σ ((ρ − m)/s)²
    2 ∂L/∂log τ_k² = m_k − (tr(A⁻¹)_kk + |β̂_k|²)/τ_k²
    2 ∂L/∂v_g = n_g/v_g − (tr(A⁻¹G_g) + |y − Mβ̂|²_g)/v_g²

(restricted likelihood: Patterson & Thompson 1971, Biometrika 58:545–554; β̂ as the best linear
unbiased prediction: Henderson 1975, Biometrics 31:423–447). ρ are the log standard deviations.
Their priors are normal and weakly informative (`PRIORS`): medians of the size that the noise of a
published study has (effects of about one point), a factor of 7 either way within 95 %.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, qr, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from sleepsweep_analysis.model.design import Design
from sleepsweep_analysis.model.noise import independent

__all__ = ["BASE_SD", "PRIORS", "Reml", "Solution"]

Matrix = NDArray[np.float64]

BASE_SD = 30.0
"""Prior sd, in points, of the mean effect b0 and of a placebo: flat in effect, and proper, so that
a sweep whose policies all have one size (where b0 hides in the blocks) has a wide posterior."""

PRIORS: Mapping[str, tuple[float, float]] = {
    "category": (0.7, 1.0),
    "within": (0.5, 1.0),
    "pair": (0.3, 1.0),
    "size": (1.0, 1.0),
    "dose": (0.5, 1.0),
    "bend": (0.5, 1.0),
    "covariate": (0.5, 1.0),
    "tilt": (0.5, 1.0),
    "trial": (0.8, 1.0),
    "early": (0.5, 1.0),
}
"""Median, in points, of each standard deviation, and the sd of its logarithm."""

FLAT = ("block", "rung", "offset")
KNOWN = {"base": BASE_SD, "placebo": BASE_SD, "setting": 3.0}
"""Standard deviations that are not estimated; that of the mean slope and bend of all dials is wide
beside what a setting can plausibly change."""

NOISE = ("trial", "early")
BOUNDS = (float(np.log(0.02)), float(np.log(60.0)))


class Reml:
    """Minus the log posterior of the log standard deviations ρ of one design.

    `names` are the standard deviations that the design has, in the order of ρ. A flat column that
    others make up (a covariate tied to the blocks) is left out: its weight is 0.
    """

    def __init__(self, design: Design, priors: Mapping[str, tuple[float, float]] = PRIORS) -> None:
        counts = design.layout.counts
        present = {name for name in priors if counts.get(name, 0)} | {"trial"}
        present |= {"early"} if design.before_last.any() else set()
        self.design = design
        self.layout = design.layout
        self.names = tuple(name for name in priors if name in present)
        self.centre = np.log([priors[name][0] for name in self.names])
        self.spread = np.array([priors[name][1] for name in self.names])
        self.rows = independent(design)
        self.kept = _kept(design)
        self.moments, self.squares = self.rows.moments(design.points)

    def with_points(self, points: Matrix) -> "Reml":
        """The same design with other scores; cheap, since the columns stay."""
        other = copy(self)
        other.design = replace(self.design, points=points)
        other.moments, other.squares = self.rows.moments(points)
        return other

    def solve(self, log_sd: Matrix, known: Mapping[str, float] | None = None) -> "Solution":
        """The weights given the data and `log_sd`; `known` sets some standard deviations."""
        sds = dict(zip(self.names, np.exp(log_sd), strict=True)) | dict(known or {})
        variances = self._variances(sds)
        A = np.tensordot(1.0 / variances, self.rows.grams, axes=1)
        A[np.diag_indices_from(A)] += self._precisions(sds)
        factor = cholesky(A[np.ix_(self.kept, self.kept)], lower=True, check_finite=False)
        moment = (1.0 / variances) @ self.moments
        mean = np.zeros(self.layout.width)
        mean[self.kept] = cho_solve((factor, True), moment[self.kept], check_finite=False)
        return Solution(sds, variances, self.kept, mean, factor, float(moment @ mean))

    def value(self, log_sd: Matrix, found: "Solution | None" = None) -> float:
        """Minus the log posterior at `log_sd`, up to a constant."""
        at = found or self.solve(log_sd)
        twice = self.rows.counts @ np.log(at.variances) + self.squares @ (1.0 / at.variances)
        twice += 2.0 * np.log(np.diag(at.factor)).sum() - at.explained
        for name, rho in zip(self.names, log_sd, strict=True):
            twice += 2.0 * rho * self.layout.counts.get(name, 0)
        return float(0.5 * twice + 0.5 * (((log_sd - self.centre) / self.spread) ** 2).sum())

    def gradient(self, log_sd: Matrix) -> tuple[float, Matrix]:
        """Return `value` and its gradient."""
        at = self.solve(log_sd)
        inverse = at.covariance()
        by_noise = self._noise_slopes(at, inverse)
        slope = (log_sd - self.centre) / self.spread**2
        for i, name in enumerate(self.names):
            if name in NOISE:
                slope[i] += by_noise @ self.rows.shares[:, NOISE.index(name)] * at.sds[name] ** 2
            else:
                place = self.layout.places[name]
                spent = np.diag(inverse)[place].sum() + (at.mean[place] ** 2).sum()
                slope[i] += self.layout.counts[name] - spent / at.sds[name] ** 2
        return self.value(log_sd, at), slope

    def mode(self) -> Matrix:
        """Log standard deviations of highest posterior density."""
        bounds = [BOUNDS] * len(self.names)
        found = minimize(self.gradient, self.centre, jac=True, method="L-BFGS-B", bounds=bounds)
        return np.asarray(found.x)

    def curvature(self, mode: Matrix) -> Matrix:
        """Hessian at `mode` by central differences of the gradient, made positive definite."""
        step = 1e-3 * np.eye(len(mode))
        rows = [self.gradient(mode + d)[1] - self.gradient(mode - d)[1] for d in step]
        hessian = np.array(rows) / 2e-3
        values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
        return np.asarray((vectors * np.maximum(values, 0.3)) @ vectors.T)

    def _variances(self, sds: Mapping[str, float]) -> Matrix:
        """Variance of the rows of each group, (G,)."""
        return np.asarray(self.rows.shares @ [sds.get(name, 0.0) ** 2 for name in NOISE])

    def _precisions(self, sds: Mapping[str, float]) -> Matrix:
        """Prior precision of each weight: 0 for a flat one."""
        known = dict.fromkeys(FLAT, np.inf) | KNOWN
        return np.concatenate([
            np.full(count, (known | dict(sds))[name] ** -2.0)
            for name, count in self.layout.counts.items() if count
        ])  # fmt: skip

    def _noise_slopes(self, at: "Solution", inverse: Matrix) -> Matrix:
        """2 ∂L/∂v of each group, (G,): the factor ½ meets the 2 of ∂σ²/∂log σ = 2σ²."""
        grams, moments = self.rows.grams, self.moments
        traces = np.einsum("gij,ij->g", grams, inverse)
        left = self.squares - 2.0 * moments @ at.mean + (grams @ at.mean) @ at.mean
        return np.asarray(self.rows.counts / at.variances - (traces + left) / at.variances**2)


@dataclass(frozen=True)
class Solution:
    """The weights' posterior at given standard deviations: N(`mean`, A⁻¹), A = `factor` factorᵀ.

    `kept` are the weights that A is about; the others are 0. `explained` is β̂·A β̂.
    """

    sds: dict[str, float]
    variances: Matrix
    kept: NDArray[np.int64]
    mean: Matrix
    factor: Matrix
    explained: float

    def covariance(self) -> Matrix:
        """Covariance of all weights, (W, W)."""
        lower, _ = dpotri(self.factor, lower=1)
        full = np.zeros((len(self.mean), len(self.mean)))
        full[np.ix_(self.kept, self.kept)] = lower + np.tril(lower, -1).T
        return full

    def spread(self, contrasts: Matrix) -> Matrix:
        """Standard deviation of each row of `contrasts` (m, W), shape (m,)."""
        half = solve_triangular(self.factor, contrasts[:, self.kept].T, lower=True)
        return np.asarray(np.sqrt(np.maximum((half**2).sum(axis=0), 1e-12)))

    def sample(self, normal: Matrix) -> Matrix:
        """Joint draws of the weights from standard normal ones, (count, len(kept)) → (count, W)."""
        draws = np.tile(self.mean, (len(normal), 1))
        draws[:, self.kept] += solve_triangular(self.factor, normal.T, lower=True, trans="T").T
        return draws


def _kept(design: Design) -> NDArray[np.int64]:
    """Places of the weights to estimate: all but the flat ones that other flat ones make up."""
    places = design.layout.places
    flat = np.concatenate([np.arange(places[n].start, places[n].stop) for n in FLAT])
    _, triangle, order = qr(design.columns[:, flat], mode="economic", pivoting=True)
    sizes = np.abs(np.diag(triangle))
    rank = int((sizes > 1e-9 * sizes[0]).sum())
    rest = np.setdiff1d(np.arange(design.layout.width), flat)
    return np.sort(np.concatenate([flat[order[:rank]], rest])).astype(np.int64)
