"""Finding of the size curve, never more than its intervals support."""

import pandas as pd

from sleepsweep_analysis.estimates.ranking import EQUAL
from sleepsweep_analysis.words.numbers import interval, largest, listing, share, signed

__all__ = ["composition_finding", "size_finding"]

PLAUSIBLE = 0.05
CANNOT = "This sweep cannot tell how many augmentations to use."
UNEVEN = 0.20


def size_finding(frame: pd.DataFrame) -> str:
    """Which size is best on average, or that it cannot be told."""
    if len(frame) < 2:
        return CANNOT
    first = frame.iloc[0]
    best = frame.iloc[int(frame["difference"].to_numpy().argmax())]
    worst = frame.iloc[int(frame["difference"].to_numpy().argmin())]
    if best["low"] > 0:
        return f"Random sets of {_against(best, first)}; {_rivals(frame)}."
    if worst["high"] < 0 and int(best["size"]) == int(first["size"]):
        return f"Few: random sets of {_against(worst, first)}."
    if frame["low"].min() >= -EQUAL and frame["high"].max() <= EQUAL:
        return "The number of augmentations makes practically no difference for random sets."
    return CANNOT


def composition_finding(frame: pd.DataFrame) -> str:
    """Whether the sizes are made of the same augmentations."""
    if frame.empty:
        return "No size was run."
    used = frame[frame["size"] > 0]
    if used["size"].nunique() < 2:
        return "Only one size was run, so sizes cannot be compared."
    even = used.groupby("size")["share"].transform("mean")
    row = largest(used.assign(even=even, apart=used["share"] - even), "apart")
    if abs(row["apart"]) <= UNEVEN:
        return "Every size was made of about the same mix of augmentations."
    return (
        f"The sizes differ in what they are made of: {share(row['share'])} of the trials of size "
        f"{row['size']} contain {row['augmentation']}, where an even mix would give "
        f"{share(row['even'])}. Raw means of the sizes mix the two; the curve does not."
    )


def _against(row: pd.Series, first: pd.Series) -> str:
    return (
        f"{int(row['size'])} score {signed(row['difference'])} points "
        f"({interval(row['low'], row['high'])}) against sets of {int(first['size'])}"
    )


def _rivals(frame: pd.DataFrame) -> str:
    likely = [int(k) for k in frame.loc[frame["p_best"] >= PLAUSIBLE, "size"]]
    if len(likely) < 2:
        return "that is the best size on average"
    return f"sizes {listing(likely)} cannot be told apart"
