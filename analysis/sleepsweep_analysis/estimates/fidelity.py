"""How well early rungs foretell the last one, within blocks: across them it would be the splits."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.estimates.crosschecks import least_squares

__all__ = ["fidelity", "within_blocks"]

COLUMNS = ["rung", "step", "trials", "rho", "rho_low", "rho_high", "flips"]

SPREAD = 3
"""Differences within blocks (trials minus blocks) that a rank correlation asks for: four trials of
one block."""


def fidelity(chosen: Comparable, effects: pd.DataFrame) -> pd.DataFrame:
    """One row for each rung before the last: rank correlation with the last rung, sign flips.

    The correlation is over trials that reached both, its interval Fisher's for Spearman's ρ (se
    1.06/√(n − 3); Fieller, Hartley & Pearson 1957, Biometrika 44:470–481) with n less one for each
    block. ``flips`` is the share of augmentations whose least-squares effect at that rung alone has
    another sign than the model's at the last one.
    """
    last = chosen.last
    model = effects.set_index("augmentation")["effect"]
    rows = []
    for rung in sorted(set(chosen.rows["rung"]) - {last}):
        mine = chosen.rows[chosen.rows["rung"] == rung]
        both = within_blocks(chosen.rows, int(rung), int(last or 0))
        early = least_squares(chosen, mine).set_index("augmentation")["effect"].dropna()
        flips = np.sign(early) != np.sign(model.reindex(early.index))
        rows.append([int(rung), int(mine["step"].iloc[0]), len(both), *_rank_correlation(both),
                     float(flips.mean()) if len(early) else np.nan])  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def within_blocks(rows: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """Points at two rungs minus the mean of their block and rung, over trials that reached both.

    A block with one such trial has nothing to compare it with; empty where what is left has fewer
    than `SPREAD` free differences.
    """
    wide = rows.pivot_table(index=["block", "trial"], columns="rung", values="points")
    wide = wide.reindex(columns=[first, last]).dropna()
    blocks = wide.groupby(level="block")
    wide = wide[blocks[last].transform("size") > 1]
    if len(wide) - wide.index.get_level_values("block").nunique() < SPREAD:
        return wide.iloc[:0]
    return wide - wide.groupby(level="block").transform("mean")


def _rank_correlation(both: pd.DataFrame) -> tuple[float, float, float]:
    if both.empty or float(both.std().min()) < 1e-9:
        return np.nan, np.nan, np.nan
    rho = float(np.corrcoef(both.rank().to_numpy().T)[0, 1])
    free = len(both) - both.index.get_level_values("block").nunique() + 1 - 3
    if free < 1 or abs(rho) >= 1.0:
        return rho, np.nan, np.nan
    half = -float(ndtri(0.025)) * 1.06 / np.sqrt(free)
    return rho, float(np.tanh(np.arctanh(rho) - half)), float(np.tanh(np.arctanh(rho) + half))
