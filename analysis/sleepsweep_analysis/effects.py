"""What an augmentation, and a category, adds: the contrasts of the model and their tables.

The effect of augmentation j is the mean change of macro-F1 when j is added to a set, over the
reference distribution (size after adding uniform on 1..K, subset uniform)::

    b_j + mean_k (h(k) − h(k − 1)) = b_j + (h(K) − h(0))/K

The effect of a category is the mean over those of its members that were run: an answer about these
members, not about a new one.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.model import Posterior
from sleepsweep_analysis.ranking import describe

__all__ = [
    "augmentation_contrasts",
    "augmentations",
    "categories",
    "category_contrasts",
    "contrasts",
]

Matrix = NDArray[np.float64]


def augmentation_contrasts(count: int, sizes: int, largest: int) -> Matrix:
    """Rows b_j + (h(K) − h(0))/K over the weights (b_1..b_count, h_0..h_{sizes−1})."""
    curve = np.zeros(sizes)
    curve[largest], curve[0] = 1.0 / largest, -1.0 / largest
    return np.hstack([np.eye(count), np.tile(curve, (count, 1))])


def category_contrasts(chosen: Comparable, rows: Matrix) -> tuple[list[str], Matrix]:
    """Mean of the rows of each category's members that were run; categories in pool order."""
    members: dict[str, list[int]] = {}
    for j, (name, category) in enumerate(zip(chosen.pool, chosen.category, strict=True)):
        if chosen.present(name):
            members.setdefault(category, []).append(j)
    return list(members), np.array([rows[found].mean(axis=0) for found in members.values()])


def augmentations(chosen: Comparable, posterior: Posterior, draws: Matrix) -> pd.DataFrame:
    """One row for each augmentation of the pool, strongest first."""
    rows = contrasts(chosen, posterior)
    counts = [chosen.present(name) for name in chosen.pool]
    frame = describe(posterior, rows, draws)
    frame.insert(0, "augmentation", list(chosen.pool))
    frame.insert(1, "category", list(chosen.category))
    frame.insert(2, "trials_with", counts)
    frame.insert(3, "trials_without", [chosen.n_trials - count for count in counts])
    return frame.sort_values("effect", ascending=False, kind="stable", ignore_index=True)


def categories(chosen: Comparable, posterior: Posterior, draws: Matrix) -> pd.DataFrame:
    """One row for each category with a member that was run, strongest first."""
    names, rows = category_contrasts(chosen, contrasts(chosen, posterior))
    frame = describe(posterior, rows, draws)
    frame.insert(0, "category", names)
    frame.insert(1, "members", [_members(chosen, name) for name in names])
    frame.insert(2, "trials_with", [_with_any(chosen, name) for name in names])
    return frame.sort_values("effect", ascending=False, kind="stable", ignore_index=True)


def contrasts(chosen: Comparable, posterior: Posterior) -> Matrix:
    """Rows of `augmentation_contrasts` for the pool and sizes of `chosen`, in pool order."""
    sizes = posterior.design.sizes.shape[1]
    return augmentation_contrasts(len(chosen.pool), sizes, chosen.largest)


def _members(chosen: Comparable, category: str) -> int:
    pairs = zip(chosen.pool, chosen.category, strict=True)
    return sum(found == category and chosen.present(name) > 0 for name, found in pairs)


def _with_any(chosen: Comparable, category: str) -> int:
    pairs = zip(chosen.switches, chosen.category, strict=True)
    columns = [switch for switch, found in pairs if found == category]
    return int(chosen.rows.loc[chosen.rows[columns].any(axis=1), "trial"].nunique())
