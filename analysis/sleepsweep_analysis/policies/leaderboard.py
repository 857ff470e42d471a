"""The trials that reached the last rung, by score: best of m, not confirmed.

Scores of different blocks are not comparable as they stand (the subject split moves the score more
than most augmentations do), so the order is that of the score minus its block's offset plus the
mean offset. ``expected`` is what the model expects of the policy, with its trial's settings, on the
average block: the part of the score that is not luck; what is left is its optimism.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from sleepsweep.results import ResultsTable
from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.model import Posterior
from sleepsweep_analysis.policies.jackknife import jackknife
from sleepsweep_analysis.policies.tukey import letters

__all__ = ["expected_maximum", "leaderboard", "scores"]

TOP = 10


def leaderboard(table: ResultsTable, chosen: Comparable, posterior: Posterior) -> pd.DataFrame:
    """The best ten trials at the last rung, best first.

    Columns: rank, policy, size, block, trial, macro_f1 (points, this block), low and high
    (jackknife over subjects), subjects, adjusted (for the block), expected, expected_low and
    expected_high (model, average block; the interval is that of the difference from the average
    trial, because the level itself hides in the blocks), optimism (adjusted − expected), of (how
    many reached the last rung), group (letters of policies that Tukey's test cannot tell apart).
    """
    frame = scores(chosen, posterior)
    found = letters(frame)
    frame["group"] = [found.get(str(policy), "") for policy in frame["policy"]]
    frame = frame.sort_values(["adjusted", "trial"], ascending=[False, True]).head(TOP)
    frame.insert(0, "rank", range(1, len(frame) + 1))
    last = posterior.design.last
    people = [jackknife(table.confusions(str(trial), last)) for trial in frame["trial"]]
    frame["low"] = [interval.low for interval in people]
    frame["high"] = [interval.high for interval in people]
    frame["subjects"] = [interval.subjects for interval in people]
    return frame.reset_index(drop=True)


def expected_maximum(count: int) -> float:
    """Expected largest of `count` standard normal draws (Blom 1958): Φ⁻¹((m − .375)/(m + .25))."""
    return float(ndtri((count - 0.375) / (count + 0.25))) if count > 1 else 0.0


def scores(chosen: Comparable, posterior: Posterior) -> pd.DataFrame:
    """Every trial at the last rung: recorded, adjusted for its block, and as the model expects.

    In launch order, with the columns of `leaderboard` from ``policy`` to ``of`` but for the
    jackknife's.
    """
    design = posterior.design
    layout = design.layout
    at_last = np.flatnonzero(~design.before_last)
    rows, policies = chosen.rows.iloc[at_last], design.policies()
    middle = policies.mean(axis=0)
    found = posterior.estimate(policies[at_last] - middle)
    level = layout.at_level()
    blocks = np.array([layout.row(block=row) for row in np.eye(len(layout.blocks))])
    centre = posterior.estimate(np.vstack([level + middle, blocks - level])).mean
    offsets = dict(zip(layout.blocks, centre[1:], strict=True))
    frame = rows[["policy", "size", "block", "trial"]].copy()
    frame["macro_f1"] = rows["points"]
    frame["adjusted"] = rows["points"] - rows["block"].map(offsets)
    frame["expected"] = centre[0] + found.mean
    frame["expected_low"] = centre[0] + found.low
    frame["expected_high"] = centre[0] + found.high
    frame["optimism"] = frame["adjusted"] - frame["expected"]
    return frame.assign(of=len(frame))
