"""Delete-one-subject jackknife of a pooled macro-F1.

The subject is the unit: both nights of a person leave together, because the epochs of one person
resemble each other (an interval from resampled epochs covers 24 % instead of 95 %)::

    se² = (n − 1)/n · Σ_i (θ_(i) − mean θ_(·))²       interval: θ ± t(n − 1)·se

(Efron & Tibshirani 1993, An Introduction to the Bootstrap, eq. 11.5.) Pooled macro-F1 is the mean
over the stages present in the pooled reference labels; a subject without a stage adds nothing to
that stage.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from sleepsweep.results import Confusion, macro_f1

__all__ = ["Interval", "jackknife"]


@dataclass(frozen=True)
class Interval:
    """A pooled macro-F1 and its 95 % interval over `subjects` people, in points."""

    value: float
    low: float
    high: float
    subjects: int


def jackknife(confusions: Mapping[str, Confusion]) -> Interval:
    """Interval of the pooled macro-F1 of `confusions` (subject → (5, 5) matrix).

    With fewer than two subjects the bounds are NaN; with none the value is too.
    """
    count = len(confusions)
    if count == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    matrices = np.array(list(confusions.values()), dtype=np.int64)
    pooled = matrices.sum(axis=0)
    value = 100.0 * macro_f1(pooled)
    if count < 2:
        return Interval(value, np.nan, np.nan, count)
    left = np.array([100.0 * macro_f1(pooled - matrix) for matrix in matrices])
    se = np.sqrt((count - 1) / count * ((left - left.mean()) ** 2).sum())
    half = float(stdtrit(count - 1, 0.975)) * float(se)
    return Interval(value, max(value - half, 0.0), min(value + half, 100.0), count)
