"""How many augmentations: the model's size curve, never "the best of size k".

m(k) is the mean macro-F1 over uniform subsets of size k::

    m(k) = k·mean(b) + h(k)

Size is the sum of the inclusion columns, so its linear part cannot be told from the effects in a
plain regression: only the model's curve is shown, as m(k) − m(reference).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.model import Posterior
from sleepsweep_analysis.ranking import p_best

__all__ = ["level", "size_contrasts", "sizes"]

Matrix = NDArray[np.float64]


def size_contrasts(count: int, sizes: int) -> Matrix:
    """Rows m(k) for k = 0..sizes−1 over the weights (b_1..b_count, h_0..h_{sizes−1})."""
    slope = np.arange(sizes)[:, None] / count * np.ones((sizes, count))
    return np.hstack([slope, np.eye(sizes)])


def sizes(chosen: Comparable, posterior: Posterior, draws: Matrix) -> pd.DataFrame:
    """One row a size, from the smallest that was run to K: m(k) − m(reference) with its interval.

    The reference is the smallest size that was run. ``level`` is m(k) itself at the average block
    and the last rung; ``p_best`` the probability that sets of this size are best on average.
    """
    run = _size_of_trials(chosen)
    first = min(int(run.min()), chosen.largest)
    ks = np.arange(first, chosen.largest + 1)
    rows = size_contrasts(len(chosen.pool), posterior.design.sizes.shape[1])[ks]
    found = posterior.estimate(rows - rows[0])
    base = level(posterior)
    return pd.DataFrame(
        {
            "size": ks,
            "reference": first,
            "trials": [int((run == k).sum()) for k in ks],
            "difference": found.mean,
            "low": np.where(ks == first, 0.0, found.low),
            "high": np.where(ks == first, 0.0, found.high),
            "se": np.where(ks == first, 0.0, found.se),
            "level": base + posterior.shares @ posterior.means @ rows.T,
            "p_best": p_best(draws @ rows.T),
        }
    )


def level(posterior: Posterior) -> float:
    """Offset of the average block at the last rung, in points."""
    return float(posterior.fixed[: len(posterior.design.blocks)].mean())


def _size_of_trials(chosen: Comparable) -> pd.Series:
    return chosen.rows.groupby("trial")[chosen.switches].first().sum(axis=1).astype(int)
