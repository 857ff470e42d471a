"""From a posterior to a ranking that claims no more than the intervals do.

Holm's step-down within one family (Holm 1979, Scand. J. Stat. 6:65–70), rank probabilities from
joint draws, and one of four verdicts. Practical equality is ±0.5 points.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.model import Posterior

__all__ = ["DRAWS", "EQUAL", "LEVEL", "VERDICTS", "describe", "holm", "p_best", "verdict"]

Matrix = NDArray[np.float64]

DRAWS = 2000
EQUAL = 0.5
LEVEL = 0.05
VERDICTS = ("better", "worse", "practically equal", "cannot tell")


def holm(p: Matrix) -> Matrix:
    """Adjusted p-values of one family: max over the smaller ones of (m − rank + 1)·p, at most 1."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def verdict(low: float, high: float, p_holm: float) -> str:
    """One of `VERDICTS` for a 95 % interval and the adjusted p-value of "no effect"."""
    if low >= -EQUAL and high <= EQUAL:
        return "practically equal"
    if p_holm < LEVEL and low > 0:
        return "better"
    if p_holm < LEVEL and high < 0:
        return "worse"
    return "cannot tell"


def p_best(draws: Matrix) -> Matrix:
    """Share of the joint draws (count, m) in which each column is the largest, shape (m,)."""
    return np.bincount(draws.argmax(axis=1), minlength=draws.shape[1]) / len(draws)


def describe(posterior: Posterior, combinations: Matrix, draws: Matrix) -> pd.DataFrame:
    """Describe one family: effect, 95 % interval, se, P(best), Holm p and verdict a row."""
    found = posterior.estimate(combinations)
    adjusted = holm(found.p)
    verdicts = [verdict(*bounds) for bounds in zip(found.low, found.high, adjusted, strict=True)]
    return pd.DataFrame(
        {
            "effect": found.mean,
            "low": found.low,
            "high": found.high,
            "se": found.se,
            "p_best": p_best(draws @ combinations.T),
            "p": found.p,
            "p_holm": adjusted,
            "verdict": verdicts,
        }
    )
