"""Delete-one-subject jackknife of a pooled macro-F1.

The subject is the unit: both nights of a person leave together, because the epochs of one person
resemble each other (an interval from resampled epochs covers 24 % instead of 95 %)::

    se² = (n − 1)/n · Σ_i (θ_(i) − mean θ_(·))²       interval: θ ± t(n − 1)·se

(Efron & Tibshirani 1993, An Introduction to the Bootstrap, eq. 11.5.) Pooled macro-F1 is the mean
over the stages present in the pooled reference labels; a subject without a stage adds nothing to
that stage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sleepsweep.results import Confusion, macro_f1

__all__ = ["Interval", "jackknife", "jackknife_difference", "leave_one_out"]


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
    value = 100.0 * macro_f1(matrices.sum(axis=0))
    return _interval(value, leave_one_out(matrices), (0.0, 100.0))


def jackknife_difference(pairs: Sequence[tuple[Confusion, Confusion]]) -> Interval:
    """Interval of the difference of two pooled macro-F1 over the same people (a pair a person)."""
    first, second = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    value = 100.0 * (macro_f1(first.sum(axis=0)) - macro_f1(second.sum(axis=0)))
    return _interval(value, leave_one_out(first) - leave_one_out(second), (-100.0, 100.0))


def leave_one_out(matrices: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pooled macro-F1, in points, without each of the people (n, 5, 5); shape (n,)."""
    pooled = matrices.sum(axis=0)
    return np.array([100.0 * macro_f1(pooled - matrix) for matrix in matrices])


def _interval(value: float, left: NDArray[np.float64], bounds: tuple[float, float]) -> Interval:
    """The interval from the values without each person; without bounds for one person."""
    count = len(left)
    if count < 2:
        return Interval(value, np.nan, np.nan, count)
    se = np.sqrt((count - 1) / count * ((left - left.mean()) ** 2).sum())
    half = float(stdtrit(count - 1, 0.975)) * float(se)
    return Interval(value, max(value - half, bounds[0]), min(value + half, bounds[1]), count)
