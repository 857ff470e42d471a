"""Other estimators of the same effects, beside the primary model: none of them is a ranking.

- ``anchors``: least squares with block dummies on the trials that the design drew, at the last
  rung: free of the sampler's and of ASHA's choices, and wide.
- ``plain``: the same on every finished trial: selected on the outcome where trials were stopped.
- ``pairs``: mean difference of two trials of a block whose sets differ by one augmentation:
  conditional on the base sets that happen to be there.
- the screen: permutation importance in a random forest (Breiman 2001, Machine Learning 45:5–32),
  for non-linearity that the model has no term for.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from sleepsweep_analysis.comparable import Comparable

__all__ = ["crosschecks", "least_squares", "screen"]

Matrix = NDArray[np.float64]

DESIGNED = ("design", "anchor")
APART = 2.0
"""Standard errors between the model and a cross-check beyond which they are said to disagree."""

COLUMNS = ["augmentation", "method", "effect", "low", "high", "n", "apart"]
SCREEN_COLUMNS = ["augmentation", "importance", "low", "high"]
SHUFFLES = 5
FEWEST = 20
"""Finished trials without which a forest says nothing."""


def crosschecks(chosen: Comparable, effects: pd.DataFrame) -> pd.DataFrame:
    """One row an augmentation and method; NaN where a method has nothing to say."""
    last = chosen.rows[chosen.rows["rung"] == chosen.last]
    model = effects.set_index("augmentation")["effect"]
    methods = {
        "anchors": least_squares(chosen, last[last["kind"].isin(DESIGNED)]),
        "plain": least_squares(chosen, last),
        "pairs": _matched(chosen, last),
    }
    frame = pd.concat([found.assign(method=name) for name, found in methods.items()])
    distance = (frame["effect"] - frame["augmentation"].map(model)).abs()
    frame["apart"] = distance > APART * frame["se"]
    return frame[COLUMNS].reset_index(drop=True)


def least_squares(chosen: Comparable, rows: pd.DataFrame) -> pd.DataFrame:
    """score = block + Σ b_j x_j by least squares, with t intervals; NaN where not estimable."""
    switches = rows[chosen.switches].to_numpy(dtype=float)
    blocks = rows["block"].to_numpy()[:, None] == np.unique(rows["block"])[None, :]
    X = np.hstack([switches, blocks.astype(float)])
    free = len(X) - int(np.linalg.matrix_rank(X)) if len(X) else 0
    count = len(chosen.pool)
    mean, se = np.full(count, np.nan), np.full(count, np.nan)
    if free > 0:
        inverse = np.linalg.pinv(X.T @ X)
        fitted = inverse @ X.T @ rows["points"].to_numpy()
        noise = float(((rows["points"].to_numpy() - X @ fitted) ** 2).sum()) / free
        # A weight is estimable where the projection on the row space leaves it alone.
        known = np.abs(np.diag(inverse @ X.T @ X)[:count] - 1) < 1e-6
        mean[known] = fitted[:count][known]
        se[known] = np.sqrt(noise * np.diag(inverse)[:count][known])
    return _frame(chosen, mean, se, np.full(count, free), switches.sum(axis=0))


def screen(chosen: Comparable, seed: int) -> pd.DataFrame:
    """How much worse a forest predicts (points of error) with one augmentation shuffled.

    `low` and `high` are the extremes over `SHUFFLES` shuffles. Empty with too few finished trials.
    """
    last = chosen.rows[chosen.rows["rung"] == chosen.last]
    if len(last) < FEWEST:
        return pd.DataFrame(columns=SCREEN_COLUMNS)
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    y = last["points"] - last.groupby("block")["points"].transform("mean")
    X = last[chosen.switches].to_numpy(dtype=float)
    forest = RandomForestRegressor(50, min_samples_leaf=3, random_state=seed).fit(X, y)
    found = permutation_importance(
        forest, X, y, scoring="neg_root_mean_squared_error", n_repeats=SHUFFLES, random_state=seed
    ).importances
    frame = pd.DataFrame({
        "augmentation": list(chosen.pool), "importance": found.mean(axis=1),
        "low": found.min(axis=1), "high": found.max(axis=1),
    })  # fmt: skip
    return frame.sort_values("importance", ascending=False, ignore_index=True)


def _matched(chosen: Comparable, last: pd.DataFrame) -> pd.DataFrame:
    found: list[list[float]] = [[] for _ in chosen.pool]
    for _, mine in last.groupby("block"):
        sets, points = mine[chosen.switches].to_numpy(dtype=int), mine["points"].to_numpy()
        for i, k in combinations(range(len(sets)), 2):
            changed = np.flatnonzero(sets[i] != sets[k])
            if len(changed) == 1:
                j = int(changed[0])
                found[j].append((points[i] - points[k]) * (sets[i, j] - sets[k, j]))
    n = np.array([len(each) for each in found])
    mean = np.array([np.mean(each) if each else np.nan for each in found])
    se = np.array([np.std(e, ddof=1) / np.sqrt(len(e)) if len(e) > 1 else np.nan for e in found])
    return _frame(chosen, mean, se, np.maximum(n - 1, 1), n)


def _frame(chosen: Comparable, mean: Matrix, se: Matrix, free: Matrix, n: Matrix) -> pd.DataFrame:
    free = np.maximum(free, 1)
    half = stdtrit(free, 0.975) * se
    # No noise, no test: equal scores say nothing about chance.
    t = np.divide(np.abs(mean), se, out=np.full(len(mean), np.nan), where=se > 0)
    return pd.DataFrame({
        "augmentation": list(chosen.pool), "effect": mean, "se": se, "low": mean - half,
        "high": mean + half, "n": n.astype(int), "p": 2 * stdtr(free, -t),
    })  # fmt: skip
