"""Findings about noise: where it comes from, and what more runs would show."""

import numpy as np
import pandas as pd

from sleepsweep_analysis.warnings import detectable
from sleepsweep_analysis.words.numbers import count, largest, plural

__all__ = ["needs_finding", "smallest_finding", "variance_finding"]


def smallest_finding(effects: pd.DataFrame) -> str:
    """What this sweep could see."""
    least = detectable(effects)
    if not np.isfinite(least):
        return "These policies do not show the effect of any one augmentation, whatever its size."
    return (
        f"With 80 % power this sweep calls an effect of {least:.1f} points of one augmentation "
        "better, by the same model and the same rule; smaller ones it would often miss."
    )


def variance_finding(variance: pd.DataFrame) -> str:
    """The largest source of noise."""
    known = variance[np.isfinite(variance["sd"].astype(float))]
    if known.empty:
        return "Where the noise comes from, this sweep cannot tell."
    top = largest(known, "sd")
    return f"The largest standard deviation, {top['sd']:.2f} points, is that {top['meaning']}."


def needs_finding(needs: pd.DataFrame, trials: int) -> str:
    """How many runs would show one point."""
    one = needs[needs["effect"] == 1]
    if one.empty:
        return "How many runs a smaller effect needs, this sweep cannot tell."
    need, blocks = float(one["trials"].iloc[0]), float(one["blocks"].iloc[0])
    paired = (
        f" Two policies that differ by one point need {count(blocks)} paired blocks."
        if np.isfinite(blocks) else ""
    )  # fmt: skip
    if not np.isfinite(need):
        return f"More trials like these would not show an effect of one point.{paired}"
    if need <= trials:
        return f"These {plural(trials, 'trial')} are enough for an effect of one point.{paired}"
    return f"An effect of one point needs about {count(need)} such trials, {trials} ran.{paired}"
