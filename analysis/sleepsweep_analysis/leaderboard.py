"""The trials that reached the last rung, by score: best of m, not confirmed.

Scores of different blocks are not comparable as they stand (the subject split moves the score more
than most augmentations do), so the order is that of the score minus its block's offset plus the
mean offset. ``expected`` is what the model expects of the policy on the average block: the part of
the score that is not luck.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from sleepsweep.results import ResultsTable
from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.jackknife import jackknife
from sleepsweep_analysis.model import Posterior
from sleepsweep_analysis.size import level

__all__ = ["expected_maximum", "leaderboard"]

TOP = 10


def leaderboard(table: ResultsTable, chosen: Comparable, posterior: Posterior) -> pd.DataFrame:
    """The best ten trials at the last rung, best first.

    Columns: rank, policy, size, block, trial, macro_f1 (points, this block), low and high
    (jackknife over subjects), subjects, adjusted (for the block), expected, expected_low and
    expected_high (model, average block; the interval is that of the difference from the average
    trial, because the level itself hides in the blocks), of (how many reached the last rung).
    """
    design = posterior.design
    at_last = np.flatnonzero(chosen.rows["rung"].to_numpy() == design.last)
    offsets = dict(zip(design.blocks, posterior.fixed[: len(design.blocks)], strict=True))
    rows = chosen.rows.iloc[at_last]
    middle = design.weights.mean(axis=0)
    found = posterior.estimate(design.weights[at_last] - middle)
    centre = level(posterior) + float(posterior.shares @ posterior.means @ middle)
    frame = rows[["policy", "size", "block", "trial"]].copy()
    frame["macro_f1"] = rows["points"]
    frame["adjusted"] = rows["points"] - rows["block"].map(offsets) + level(posterior)
    for column, values in (("expected", found.mean), ("expected_low", found.low)):
        frame[column] = centre + values
    frame["expected_high"] = centre + found.high
    frame["of"] = len(frame)
    frame = frame.sort_values(["adjusted", "trial"], ascending=[False, True]).head(TOP)
    frame.insert(0, "rank", range(1, len(frame) + 1))
    people = [jackknife(table.confusions(str(trial), design.last)) for trial in frame["trial"]]
    frame["low"] = [interval.low for interval in people]
    frame["high"] = [interval.high for interval in people]
    frame["subjects"] = [interval.subjects for interval in people]
    return frame.reset_index(drop=True)


def expected_maximum(count: int) -> float:
    """Expected largest of `count` standard normal draws (Blom 1958): Φ⁻¹((m − .375)/(m + .25))."""
    return float(ndtri((count - 0.375) / (count + 0.25))) if count > 1 else 0.0
