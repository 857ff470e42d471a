"""Differences between the effects of two sweeps, and how well their rankings agree."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from sleepsweep_analysis.estimates.ranking import holm, verdict

__all__ = ["Agreement", "agreement", "differences"]

Z = 1.959963984540054
WORDS = {"better": "higher", "worse": "lower"}
FEWEST = 4
"""Shared names that a rank correlation asks for."""


@dataclass(frozen=True)
class Agreement:
    """Rank correlation of the effects of two sweeps over the names that both have."""

    rho: float
    low: float
    high: float
    shared: int


def differences(first: pd.DataFrame, second: pd.DataFrame, key: str) -> pd.DataFrame:
    """`second` minus `first` for each name that both have, as of independent sweeps.

    Columns: the key, first, first_low, first_high, second, second_low, second_high, effect (the
    difference in points), low, high, se, p, p_holm, verdict ("higher" or "lower" in the second).
    """
    keep = [key, "effect", "low", "high", "se"]
    both = first[keep].merge(second[keep], on=key, suffixes=("_1", "_2"))
    frame = pd.DataFrame({key: both[key]})
    for number, name in (("1", "first"), ("2", "second")):
        frame[name] = both[f"effect_{number}"]
        frame[f"{name}_low"] = both[f"low_{number}"]
        frame[f"{name}_high"] = both[f"high_{number}"]
    frame["effect"] = frame["second"] - frame["first"]
    frame["se"] = np.hypot(both["se_1"], both["se_2"])
    frame["low"] = frame["effect"] - Z * frame["se"]
    frame["high"] = frame["effect"] + Z * frame["se"]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(frame["effect"].to_numpy() / frame["se"].to_numpy())
    frame["p"] = 2 * ndtr(-np.nan_to_num(z))
    frame["p_holm"] = holm(frame["p"].to_numpy()) if len(frame) else frame["p"]
    bounds = zip(frame["low"], frame["high"], frame["p_holm"], strict=True)
    frame["verdict"] = [WORDS.get(found, found) for found in (verdict(*row) for row in bounds)]
    return frame.sort_values("effect", ascending=False, kind="stable", ignore_index=True)


def agreement(frame: pd.DataFrame) -> Agreement:
    """Spearman's ρ of the columns first and second, with Fisher's interval.

    The standard error is that of Bonett & Wright (2000, Psychometrika 65:23–28).
    """
    n = len(frame)
    constant = n < FEWEST or frame["first"].nunique() < 2 or frame["second"].nunique() < 2
    if constant:
        return Agreement(float("nan"), float("nan"), float("nan"), n)
    rho = float(frame["first"].rank().corr(frame["second"].rank()))
    half = Z * np.sqrt((1 + rho**2 / 2) / (n - 3))
    middle = np.arctanh(np.clip(rho, -1 + 1e-9, 1 - 1e-9))
    return Agreement(rho, float(np.tanh(middle - half)), float(np.tanh(middle + half)), n)
