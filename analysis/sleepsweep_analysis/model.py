"""The hierarchical model: restricted likelihood, hyper-parameters integrated, joint posterior.

Observation of trial i at rung r, in macro-F1 points::

    y = block + rung + Σ_j b_j x_j + h(|x|) + u_i + [r before the last]·(d_r·x + e_ir)

    b_j ~ N(category mean, τ_w²)      category mean ~ N(b0, τ_c²)      b0 ~ N(0, 30²)
    h   ~ Gaussian process over size, length-scale 2, sd τ_h
    d_r ~ N(0, τ_d²) per early rung and augmentation (slow ones look bad early)
    u_i ~ N(0, σ_u²)   e_ir ~ N(0, σ_e²)   block and rung offsets flat

Flat offsets are projected out (REML: Patterson & Thompson 1971, Biometrika 58:545–554), which
leaves y' ~ N(0, Σ_k θ_k K_k). Weights given the data are the best linear unbiased predictions
(Henderson 1975, Biometrics 31:423–447). With few trials a plug-in of the best variances is too
sure of itself, so the log standard deviations are integrated over: importance draws from the
Laplace approximation at their mode (Rue, Martino & Chopin 2009, JRSS B 71:319–392, by sampling
instead of a grid).

Priors on the log standard deviations are normal and weakly informative (`PRIORS`): medians of the
size that the noise of a published study has (effects of about one point), a factor of 7 either way
within their 95 % range. A stopped trial may be used as it is: it was stopped because of values
that are themselves in y, so the stopping is ignorable (Rubin 1976, Biometrika 63:581–592).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from sleepsweep_analysis.design import BASE_SD, Design

__all__ = ["PRIORS", "Estimate", "Posterior", "Reml", "fit"]

Matrix = NDArray[np.float64]

PRIORS = {
    "category": (0.7, 1.0),
    "within": (0.5, 1.0),
    "size": (1.0, 1.0),
    "trial": (0.8, 1.0),
    "tilt": (0.5, 1.0),
    "early": (0.5, 1.0),
}
"""Median, in points, of each standard deviation, and the sd of its logarithm."""

BOUNDS = (np.log(0.02), np.log(60.0))
HYPER_DRAWS = 64
WIDEN = 1.3


class Reml:
    """Minus the log posterior of the log standard deviations, and its analytic gradient.

    With V = Σ_k θ_k K_k after projection, α = V⁻¹y and θ_k = exp(2ρ_k)::

        L = ½ log|V| + ½ y·α + ½ Σ ((ρ_k − m_k)/s_k)²
        ∂L/∂ρ_k = θ_k (tr(V⁻¹K_k) − α·K_k α) + (ρ_k − m_k)/s_k²
    """

    def __init__(self, design: Design) -> None:
        left, values, _ = np.linalg.svd(design.fixed, full_matrices=True)
        rank = int(np.sum(values > 1e-9 * values[0]))
        self.design = design
        self.names = tuple(name for name in PRIORS if name in design.kernels)
        self.T = left[:, rank:]
        self.y = self.T.T @ design.points
        self.kernels = np.stack([self.T.T @ design.kernels[name] @ self.T for name in self.names])
        total = self.T.T @ design.switches.sum(axis=1)
        self.base = BASE_SD**2 * np.outer(total, total)
        self.centre = np.log([PRIORS[name][0] for name in self.names])
        self.spread = np.array([PRIORS[name][1] for name in self.names])

    def covariance(self, log_sd: Matrix) -> Matrix:
        """Covariance V of the projected observations."""
        return np.asarray(self.base + np.tensordot(np.exp(2.0 * log_sd), self.kernels, axes=1))

    def value(self, log_sd: Matrix, factor: tuple[Matrix, bool] | None = None) -> float:
        """Minus the log posterior at `log_sd`, up to a constant."""
        chol = factor or cho_factor(self.covariance(log_sd), lower=True)
        fit = 0.5 * float(self.y @ cho_solve(chol, self.y)) + float(np.log(np.diag(chol[0])).sum())
        return fit + 0.5 * float((((log_sd - self.centre) / self.spread) ** 2).sum())

    def gradient(self, log_sd: Matrix) -> tuple[float, Matrix]:
        """Return `value` and its gradient."""
        chol = cho_factor(self.covariance(log_sd), lower=True)
        inverse = cho_solve(chol, np.eye(len(self.y)))
        alpha = inverse @ self.y
        traces = np.einsum("kij,ij->k", self.kernels, inverse)
        fits = np.einsum("i,kij,j->k", alpha, self.kernels, alpha, optimize=True)
        slope = np.exp(2.0 * log_sd) * (traces - fits)
        return self.value(log_sd, chol), slope + (log_sd - self.centre) / self.spread**2

    def weights(self, log_sd: Matrix) -> tuple[float, Matrix, Matrix]:
        """`value`, and mean and covariance of the weights (b, h) given the data and `log_sd`."""
        prior = self.design.prior(dict(zip(self.names, np.exp(log_sd), strict=True)))
        chol = cho_factor(self.covariance(log_sd), lower=True)
        cross = self.T.T @ self.design.weights @ prior
        half = solve_triangular(chol[0], cross, lower=True)
        mean = cross.T @ cho_solve(chol, self.y)
        return self.value(log_sd, chol), mean, prior - half.T @ half

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


@dataclass(frozen=True)
class Estimate:
    """Posterior of linear combinations: `mean`, `se`, 95 % `low` and `high`, two-sided `p`."""

    mean: Matrix
    se: Matrix
    low: Matrix
    high: Matrix
    p: Matrix


@dataclass(frozen=True)
class Posterior:
    """Joint posterior of the weights (b, h): a mixture of Gaussians over hyper-parameter draws.

    `shares` (D,) sum to one; `means` (D, W); `covariances` (D, W, W); `sds` has the posterior
    median of each standard deviation, and `mode` the log standard deviations at the mode.
    """

    design: Design
    mode: Matrix
    sds: dict[str, float]
    shares: Matrix
    means: Matrix
    covariances: Matrix
    fixed: Matrix

    def estimate(self, combinations: Matrix) -> Estimate:
        """Posterior of ``combinations @ (b, h)``; `combinations` has shape (m, W)."""
        mean = self.means @ combinations.T
        variance = np.einsum("mi,dij,mj->dm", combinations, self.covariances, combinations)
        sd = np.sqrt(np.maximum(variance, 1e-12))
        centre = self.shares @ mean
        se = np.sqrt(self.shares @ (sd**2 + (mean - centre) ** 2))
        below = self.shares @ ndtr(-mean / sd)
        low, high = (_quantile(self.shares, mean, sd, q) for q in (0.025, 0.975))
        return Estimate(centre, se, low, high, 2.0 * np.minimum(below, 1.0 - below))

    def draws(self, count: int, seed: int) -> Matrix:
        """Joint draws of the weights, shape (count, W)."""
        generator = np.random.default_rng(seed)
        numbers = generator.multinomial(count, self.shares)
        parts = []
        for mean, covariance, number in zip(self.means, self.covariances, numbers, strict=True):
            values, vectors = np.linalg.eigh(covariance)
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            parts.append(mean + generator.standard_normal((number, len(mean))) @ root.T)
        return np.vstack(parts)


def fit(design: Design, *, seed: int = 0) -> Posterior:
    """Fit the model of this module to `design`; the same seed gives the same posterior."""
    reml = Reml(design)
    mode = reml.mode()
    root = np.linalg.cholesky(np.linalg.inv(reml.curvature(mode)))
    uniform = qmc.Sobol(len(mode), rng=np.random.default_rng(seed)).random(HYPER_DRAWS)
    z = np.asarray(ndtri(np.clip(uniform, 1e-6, 1.0 - 1e-6)))
    points = np.clip(mode + WIDEN * z @ root.T, *BOUNDS)
    found = [reml.weights(point) for point in points]
    shares = _importance(np.array([value for value, _, _ in found]), z)
    return Posterior(
        design=design,
        mode=mode,
        sds={name: _median(shares, np.exp(points[:, k])) for k, name in enumerate(reml.names)},
        shares=shares,
        means=np.array([mean for _, mean, _ in found]),
        covariances=np.array([covariance for _, _, covariance in found]),
        fixed=_fixed(reml, mode),
    )


def _importance(values: Matrix, z: Matrix) -> Matrix:
    """Shares of the draws: target over proposal, cut at √D times their mean (Ionides 2008)."""
    logs = -values + 0.5 * (z**2).sum(axis=1)
    raw = np.exp(logs - logs.max())
    cut = np.minimum(raw, raw.mean() * np.sqrt(len(raw)))
    return np.asarray(cut / cut.sum())


def _fixed(reml: Reml, mode: Matrix) -> Matrix:
    """Generalised least squares of block and rung offsets at the mode (minimum norm if aliased)."""
    design, X = reml.design, reml.design.fixed
    size = design.switches.sum(axis=1)
    V = BASE_SD**2 * np.outer(size, size)
    for name, log_sd in zip(reml.names, mode, strict=True):
        V = V + np.exp(2.0 * log_sd) * design.kernels[name]
    chol = cho_factor(V, lower=True)
    normal = X.T @ cho_solve(chol, X)
    return np.asarray(np.linalg.pinv(normal) @ (X.T @ cho_solve(chol, design.points)))


def _quantile(shares: Matrix, mean: Matrix, sd: Matrix, q: float) -> Matrix:
    """Quantile of each column's mixture of normals, by bisection."""
    low, high = (mean - 9.0 * sd).min(axis=0), (mean + 9.0 * sd).max(axis=0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = shares @ ndtr((middle - mean) / sd) > q
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray(0.5 * (low + high))


def _median(shares: Matrix, values: Matrix) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(shares[order]), 0.5)])
