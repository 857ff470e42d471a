"""How many augmentations: the model's size curve, never "the best of size k".

m(k) is the mean macro-F1 over uniform subsets of k real augmentations (a placebo does not count)::

    m(k) = k·mean(b) + h(k) + k(k − 1)/2 · mean(g)

Size is the sum of the inclusion columns, so its linear part cannot be told from the effects in a
plain regression: only the model's curve is shown, as m(k) − m(reference).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.comparable import PLACEBO, Comparable
from sleepsweep_analysis.estimates.ranking import p_best
from sleepsweep_analysis.model import Posterior

__all__ = ["composition", "sizes"]

Matrix = NDArray[np.float64]


def sizes(chosen: Comparable, posterior: Posterior, draws: Matrix) -> pd.DataFrame:
    """One row a size, from the smallest that was run to K: m(k) − m(reference) with its interval.

    The reference is the smallest size that was run. ``level`` is m(k) itself on the average block
    at the last rung; ``p_best`` the probability that sets of this size are best on average.
    """
    layout = posterior.design.layout
    run = _of_trials(chosen)
    first = min(int(run.min()), layout.largest)
    ks = np.arange(first, layout.largest + 1)
    rows = np.array([layout.of_size(int(k)) for k in ks])
    found = posterior.estimate(rows - rows[0])
    level = posterior.estimate(rows + layout.at_level())
    return pd.DataFrame(
        {
            "size": ks,
            "reference": first,
            "trials": [int((run == k).sum()) for k in ks],
            "difference": found.mean,
            "low": np.where(ks == first, 0.0, found.low),
            "high": np.where(ks == first, 0.0, found.high),
            "se": np.where(ks == first, 0.0, found.se),
            "level": level.mean,
            "level_low": level.low,
            "level_high": level.high,
            "p_best": p_best(draws @ rows.T),
        }
    )


def composition(chosen: Comparable) -> pd.DataFrame:
    """For each size that was run, the share of its trials that contain each real augmentation."""
    trials = chosen.rows.groupby("trial")[chosen.switches].first()
    run = _of_trials(chosen)
    parts = [
        pd.DataFrame({
            "size": size, "augmentation": name, "category": category,
            "trials": len(mine), "share": [float(mine[f"on.{name}"].mean())],
        })
        for size, mine in trials.groupby(run)
        for name, category in zip(chosen.pool, chosen.category, strict=True)
        if category != PLACEBO
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _of_trials(chosen: Comparable) -> pd.Series:
    """Size of each trial's policy: how many real augmentations it contains."""
    return chosen.rows.groupby("trial")[chosen.real_switches].first().sum(axis=1).astype(int)
