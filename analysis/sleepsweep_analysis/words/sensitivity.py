"""Finding of the sensitivity analyses: which verdicts hold."""

import pandas as pd

from sleepsweep_analysis.words.numbers import listing, plural

__all__ = ["sensitivity_finding"]


def sensitivity_finding(frame: pd.DataFrame) -> str:
    """How many verdicts hold in every variant, and which do not."""
    if frame.empty:
        return "No other analysis could be run on this table."
    flips = frame[~frame["holds"].astype(bool)]
    many = int(frame["variant"].nunique())
    variants = f"{many} other {'analysis' if many == 1 else 'analyses'}"
    if flips.empty:
        return f"Every verdict holds in {variants}."
    names = flips.groupby("augmentation")["variant"].nunique().sort_values(ascending=False)
    held = int(frame["augmentation"].nunique()) - len(names)
    most = flips["variant"].value_counts()
    return (
        f"Of {variants}: {plural(held, 'verdict')} hold in all, {len(names)} flip in one or more "
        f"({listing(names.index[:5])}{' and others' if len(names) > 5 else ''}). "
        f"“{most.index[0]}” changes most ({plural(int(most.iloc[0]), 'verdict')})."
    )
