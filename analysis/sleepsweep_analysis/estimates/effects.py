"""What an augmentation, and a category, adds: the contrasts of the model and their tables.

The effect of augmentation j is the mean change of macro-F1 when j is added to a set, over the
reference distribution (size after adding uniform on 1..K, subset uniform, settings uniform over
their ranges)::

    b_j + (h(K) − h(0))/K + (K − 1)/2 · mean_l g_jl

The effect of a category answers three questions: the mean over those of its members that were run,
its best member, and a member that was not run (`new`: the category's mean and the spread of
members around it).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.estimates.ranking import describe
from sleepsweep_analysis.model import Posterior

__all__ = ["augmentations", "categories", "contrasts"]

Matrix = NDArray[np.float64]

BOUNDS = (0.025, 0.975)


def contrasts(posterior: Posterior) -> Matrix:
    """One row for each augmentation of the pool: its effect."""
    layout = posterior.design.layout
    return np.array([layout.added(j) for j in range(len(layout.pool))])


def augmentations(chosen: Comparable, posterior: Posterior, draws: Matrix) -> pd.DataFrame:
    """One row for each augmentation of the pool, strongest first."""
    counts = [chosen.present(name) for name in chosen.pool]
    frame = describe(posterior, contrasts(posterior), draws)
    frame.insert(0, "augmentation", list(chosen.pool))
    frame.insert(1, "category", list(chosen.category))
    frame.insert(2, "trials_with", counts)
    frame.insert(3, "trials_without", [chosen.n_trials - count for count in counts])
    return frame.sort_values("effect", ascending=False, kind="stable", ignore_index=True)


def categories(chosen: Comparable, posterior: Posterior, draws: Matrix, seed: int) -> pd.DataFrame:
    """One row for each category with a member that was run, strongest first."""
    run = _members(chosen)
    effects = contrasts(posterior)
    rows = np.array([effects[places].mean(axis=0) for places in run.values()])
    frame = describe(posterior, rows, draws)
    frame.insert(0, "category", list(run))
    frame.insert(1, "members", [len(places) for places in run.values()])
    frame.insert(2, "trials_with", [_with_any(chosen, places) for places in run.values()])
    best = [_best(chosen, draws @ effects[places].T, places) for places in run.values()]
    new = [_new(posterior, draws, category, seed) for category in run]
    frame = pd.concat([frame, pd.DataFrame(best), pd.DataFrame(new)], axis=1)
    return frame.sort_values("effect", ascending=False, kind="stable", ignore_index=True)


def _members(chosen: Comparable) -> dict[str, list[int]]:
    """Places in the pool of each category's members that were run, categories in pool order."""
    members: dict[str, list[int]] = {}
    for j, (name, category) in enumerate(zip(chosen.pool, chosen.category, strict=True)):
        if chosen.present(name):
            members.setdefault(category, []).append(j)
    return members


def _with_any(chosen: Comparable, places: list[int]) -> int:
    columns = [chosen.switches[j] for j in places]
    return int(chosen.rows.loc[chosen.rows[columns].any(axis=1), "trial"].nunique())


def _best(chosen: Comparable, effects: Matrix, places: list[int]) -> dict[str, object]:
    """The best member by joint draws (count, members): which it is, and how good the best is."""
    winner = int(np.bincount(effects.argmax(axis=1), minlength=len(places)).argmax())
    top = effects.max(axis=1)
    low, high = np.quantile(top, BOUNDS)
    return {
        "best_member": chosen.pool[places[winner]], "best_effect": float(top.mean()),
        "best_low": float(low), "best_high": float(high),
    }  # fmt: skip


def _new(posterior: Posterior, draws: Matrix, category: str, seed: int) -> dict[str, float]:
    """The effect of another member of a category, which a placebo's does not have."""
    layout = posterior.design.layout
    if category not in layout.categories:
        return dict.fromkeys(("new_effect", "new_low", "new_high"), np.nan)
    # The draws of the weights come with no standard deviation: the median of it stands for all.
    own = np.random.default_rng([seed, 1]).standard_normal(len(draws)) * posterior.sds["within"]
    effect = draws @ layout.member_of(category) + own
    low, high = np.quantile(effect, BOUNDS)
    return {"new_effect": float(effect.mean()), "new_low": float(low), "new_high": float(high)}
