"""Power of a comparison of two policies on paired blocks: a t test on their differences.

With n blocks and a standard deviation s of a difference, δ is found at level 5 % (two-sided) when
|T| > t(n − 1), T noncentral with δ√n/s (Cohen 1988, Statistical Power Analysis, ch. 2).
"""

import numpy as np
from scipy.special import nctdtr, stdtrit

__all__ = ["MOST", "blocks_needed", "power"]

LEVEL = 0.05
MOST = 1000
"""Blocks beyond which no number is given."""


def power(effect: float, sd: float, blocks: int) -> float:
    """Probability of finding `effect` (points) on so many paired blocks.

    `sd` is the standard deviation, in points, of the difference of two policies on one block. NaN
    with fewer than two blocks.
    """
    if blocks < 2:
        return float("nan")
    df, shift = blocks - 1, effect * np.sqrt(blocks) / sd
    limit = stdtrit(df, 1 - LEVEL / 2)
    return float(1 - nctdtr(df, shift, limit) + nctdtr(df, shift, -limit))


def blocks_needed(effect: float, sd: float, goal: float = 0.8) -> float:
    """Smallest number of paired blocks with power `goal`; infinite beyond `MOST`."""
    low, high = 1, 2
    while power(effect, sd, high) < goal:
        low, high = high, 2 * high
        if high > MOST:
            return float("inf")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, sd, middle) >= goal else (middle, high)
    return float(high)
