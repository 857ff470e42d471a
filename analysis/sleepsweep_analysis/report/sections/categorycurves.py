"""Mean score of the trials with a category at each rung, relative to their block."""

import numpy as np
import pandas as pd

from sleepsweep_analysis.study import Analysis

__all__ = ["category_curves"]

COLUMNS = ["category", "step", "difference", "low", "high", "trials", "of"]
FEWEST = 3


def category_curves(analysis: Analysis) -> pd.DataFrame:
    """Category, step, difference from the block's mean (points), its 95 % interval, trials, of.

    Only trials that reached the last rung: else each rung would show other trials.
    """
    chosen, last = analysis.chosen, analysis.chosen.last
    finished = chosen.rows.loc[chosen.rows["rung"] == last, "trial"]
    rows = chosen.rows[chosen.rows["trial"].isin(set(finished))]
    centred = rows["points"] - rows.groupby(["block", "rung"])["points"].transform("mean")
    found = []
    for category in dict.fromkeys(chosen.category):
        pairs = zip(chosen.pool, chosen.category, strict=True)
        mine = rows[[f"on.{name}" for name, of in pairs if of == category]].any(axis=1)
        for step, values in centred[mine].groupby(rows.loc[mine, "step"]):
            if len(values) >= FEWEST:
                half = 1.96 * float(values.std()) / np.sqrt(len(values))
                mean = float(values.mean())
                found.append((category, step, mean, mean - half, mean + half, len(values),
                              rows["trial"].nunique()))  # fmt: skip
    return pd.DataFrame(found, columns=COLUMNS)
