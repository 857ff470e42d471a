"""Baselines: what was reached on the sweep's blocks by other ways than the policies."""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from sleepsweep.results import ResultsTable
from sleepsweep_analysis.comparable import BASELINE, last_rows

__all__ = ["COLUMNS", "baselines"]

COLUMNS = ["policy", "blocks", "score", "low", "high"]


def baselines(table: ResultsTable) -> pd.DataFrame:
    """One row a baseline, the highest first: the mean macro-F1, in points, over its blocks.

    `low` and `high` are the ends of its 95 % interval (Student's t over blocks), within 0 and 100;
    NaN for one block.
    """
    trials = last_rows(table)
    trials = trials[(trials["kind"] == BASELINE) & np.isfinite(trials["macro_f1"])]
    rows = []
    for policy, mine in trials.groupby("policy", sort=False):
        scores = 100.0 * mine["macro_f1"].to_numpy(dtype=float)
        mean, half = float(scores.mean()), float("nan")
        if len(scores) > 1:
            se = float(scores.std(ddof=1)) / np.sqrt(len(scores))
            half = float(stdtrit(len(scores) - 1, 0.975)) * se
        low, high = np.clip([mean - half, mean + half], 0.0, 100.0)
        rows.append((str(policy), len(scores), mean, float(low), float(high)))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.sort_values("score", ascending=False, kind="stable", ignore_index=True)
