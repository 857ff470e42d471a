"""The smallest effect of one augmentation that a sweep would call better, four times in five.

The verdict reads a shrunken estimate whose variances are learnt from the same data, and Holm's
p-values, so no multiple of the posterior standard error answers this: in an empty sweep that error
is small because effects are pulled to nothing, and a real one would be pulled as well. The rule is
therefore applied to data in which an effect was planted. With β_j the estimate of contrast j when
effects are flat (generalised least squares: prior sd 30 for each, at the posterior medians of the
noise) and s_j its standard error, the scores are moved to

    y + x_j (D − β_j)        so that the flat estimate of j is exactly D

and the whole model is fitted again. With D* the smallest D whose verdict is "better" when its p is
multiplied by the whole family (Holm's first step, Scand. J. Stat. 6:65–70), an effect δ is found
with probability 80 % when its estimate, N(δ, s_j²), exceeds D* with that probability::

    δ = D* + 0.84 s_j = (D*/s_j + 0.84) s_j

D*/s_j is found for the augmentation at the upper quartile of s_j and used for all, since a fit
takes a fraction of a second. Least squares and contrasts: Searle 1971, Linear Models, ch. 5.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from sleepsweep_analysis.estimates.ranking import EQUAL, LEVEL
from sleepsweep_analysis.model import Posterior, Reml
from sleepsweep_analysis.model.posterior import posterior as fitted
from sleepsweep_analysis.model.reml import BASE_SD

__all__ = ["POWER", "TYPICAL", "detectable_effects", "flat"]

Matrix = NDArray[np.float64]

POWER = 0.8
"""Share of sweeps like this one that would call the effect better."""

TYPICAL = 0.75
"""The quantile of the augmentations that one number stands for: three in four need no more."""

START = 4.5
"""First guess of D*/s_j (never far under practical equality)."""

REACH = 12.0
"""Largest D*/s_j that is tried; beyond it the effect counts as out of reach (infinite)."""

DRAWS = 32
"""Importance draws of a planted fit."""

FITS = 7
CLOSE = 0.05
"""How far above the line, relative to it, a fit may lie to be taken as D*."""


def detectable_effects(posterior: Posterior, contrasts: Matrix, *, seed: int) -> Matrix:
    """Effect, in points, seen with 80 % power by each of the `contrasts`, (J, W); shape (J,).

    Infinite for an augmentation that all or none of the trials contain, or whose effect the design
    cannot tell from the others.
    """
    design = posterior.design
    estimate, se = flat(posterior, contrasts)
    share = design.switches.mean(axis=0)
    tested = (share > 0) & (share < 1) & (se < BASE_SD / 10)
    if not tested.any():
        return np.full(len(se), np.inf)
    order = np.flatnonzero(tested)[np.argsort(se[tested], kind="stable")]
    one = int(order[round(TYPICAL * (len(order) - 1))])

    def strength(effect: float) -> float:
        shift = design.switches[:, one] * (effect - estimate[one])
        return _strength(posterior.reml.with_points(design.points + shift), contrasts, one, seed)

    least = _threshold(strength, float(se[one]))
    return np.where(tested, (least / se[one] + ndtri(POWER)) * se, np.inf)


def flat(posterior: Posterior, contrasts: Matrix) -> tuple[Matrix, Matrix]:
    """Estimate and standard error of each contrast with nothing pooled between augmentations."""
    reml = posterior.reml
    medians = np.log([posterior.sds[name] for name in reml.names])
    found = reml.solve(medians, known={"within": BASE_SD})
    return contrasts @ found.mean, found.spread(contrasts)


def _strength(planted: Reml, contrasts: Matrix, one: int, seed: int) -> float:
    """How far row `one` is along the way to "better": 1 where the verdict just turns to it."""
    found = fitted(planted, seed=seed, draws=DRAWS).estimate(contrasts)
    if found.mean[one] <= 0:
        return 0.0
    needed = -ndtri(LEVEL / 2)
    p = np.clip(len(found.p) * found.p[one], 1e-300, 1.0)
    certain = -ndtri(p / 2) / needed
    return float(min(certain, found.high[one] / EQUAL))


def _threshold(strength: Callable[[float], float], se: float) -> float:
    """Smallest effect of strength 1, rounded upwards by a few per cent; infinite out of reach."""
    effect, best = max(START * se, 0.9 * EQUAL), np.inf
    reach = max(REACH * se, 2.0 * EQUAL)
    for _ in range(FITS):
        found = strength(effect)
        if found >= 1.0:
            best = min(best, effect)
            if found <= 1.0 + CLOSE:
                break
        step = np.clip((1.0 + CLOSE / 2) / max(found, 1e-3), 0.4, 1.8)
        effect = min(effect * float(step) ** 0.6, reach)
    return float(best)
