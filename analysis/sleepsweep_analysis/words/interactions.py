"""Finding of the interactions: which pairs do more, or less, than their sum."""

import pandas as pd

from sleepsweep_analysis.words.numbers import interval, largest, signed

__all__ = ["interactions_finding", "pairs_finding"]


def interactions_finding(frame: pd.DataFrame) -> str:
    """Which pairs help or hinder each other, or that it cannot be told."""
    seen = frame[frame["observed"].astype(bool)]
    if seen.empty:
        return "No two augmentations ran together, so nothing can be told of their interactions."
    sure = seen[seen["verdict"].isin(["better", "worse"])]
    parts = [_named(sure, "better", "more"), _named(sure, "worse", "less")]
    found = " ".join(part for part in parts if part)
    equal = int((seen["verdict"] == "practically equal").sum())
    calm = f" {equal} of {len(seen)} pairs simply add up (within ±0.5)." if equal else ""
    if not found:
        return f"Of no pair can this sweep tell that it does more or less than its sum.{calm}"
    return f"{found}{calm}"


def pairs_finding(frame: pd.DataFrame) -> str:
    """How many pairs were seen together."""
    never = int((~frame["observed"].astype(bool)).sum())
    if not len(frame):
        return "There are no pairs."
    if not never:
        return f"All {len(frame)} pairs ran together at least once."
    return f"{never} of {len(frame)} pairs never ran together (hatched)."


def _named(sure: pd.DataFrame, verdict: str, word: str) -> str:
    rows = sure[sure["verdict"] == verdict]
    if rows.empty:
        return ""
    top = largest(rows)
    more = f", and {len(rows) - 1} other pairs" if len(rows) > 2 else ""
    more = ", and one other pair" if len(rows) == 2 else more
    return (
        f"{top['first']} with {top['second']} does {word} than the two add up to: "
        f"{signed(top['effect'])} points ({interval(top['low'], top['high'])}){more}."
    )
