"""Does the ranking hold over what else was searched: temperature, learning rate, encoder, loss?"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.estimates.ranking import describe
from sleepsweep_analysis.model import Posterior
from sleepsweep_analysis.model.covariates import Covariate

__all__ = ["covariates", "robustness"]

Matrix = NDArray[np.float64]

MAIN_COLUMNS = ["covariate", "kind", "value", "trials", "effect", "low", "high"]
COLUMNS = ["covariate", "augmentation", "at_low", "at_high", "change", "low", "high", "p",
           "p_holm", "verdict"]  # fmt: skip


def covariates(chosen: Comparable, posterior: Posterior) -> pd.DataFrame:
    """The main effect of each covariate: its levels, or three points of its range."""
    layout = posterior.design.layout
    parts = [pd.DataFrame(columns=MAIN_COLUMNS)]
    for c, covariate in enumerate(layout.covariates):
        points = covariate.points()
        rows = np.array([layout.offset_at(c, offsets) for _, _, offsets in points])
        found = posterior.estimate(rows - rows[0])
        first = np.arange(len(points)) == 0
        parts.append(pd.DataFrame({
            "covariate": covariate.name, "kind": "choice" if covariate.levels else "number",
            "value": [text for text, _, _ in points],
            "trials": [_trials(chosen, covariate, text) for text, _, _ in points],
            "effect": np.where(first, 0.0, found.mean), "low": np.where(first, 0.0, found.low),
            "high": np.where(first, 0.0, found.high),
        }))  # fmt: skip
    return pd.concat(parts[1:] or parts, ignore_index=True)


def robustness(posterior: Posterior, draws: Matrix) -> pd.DataFrame:
    """How the effect of each augmentation changes from one end of each covariate to the other.

    For a choice the ends are its first and its last level. One family of Holm's for a covariate.
    """
    layout = posterior.design.layout
    parts = [pd.DataFrame(columns=COLUMNS)]
    for c, covariate in enumerate(layout.covariates):
        (_, low, _), *_, (_, high, _) = covariate.points()
        moved = [
            np.array([layout.changed_by(j, c, end - covariate.average()) for j in layout.real])
            for end in (low, high)
        ]
        effect = np.array([layout.added(j) for j in layout.real])
        at_low, at_high = (posterior.estimate(effect + move).mean for move in moved)
        found = describe(posterior, moved[1] - moved[0], draws)
        parts.append(pd.DataFrame({
            "covariate": covariate.name, "augmentation": [layout.pool[j] for j in layout.real],
            "at_low": at_low, "at_high": at_high, "change": found["effect"], "low": found["low"],
            "high": found["high"], "p": found["p"], "p_holm": found["p_holm"],
            "verdict": found["verdict"].replace({"better": "changes", "worse": "changes"}),
        }))  # fmt: skip
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _trials(chosen: Comparable, covariate: Covariate, level: str) -> int:
    """Trials at a level of a choice; for a number, all that have a value."""
    values = chosen.rows.groupby("trial")[f"hp.{covariate.name}"].first().dropna()
    return int((values.astype(str) == level).sum()) if covariate.levels else len(values)
