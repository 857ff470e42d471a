"""Findings about people, stages and representations."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.words.numbers import interval, plural, points, share, signed

if TYPE_CHECKING:
    from sleepsweep_analysis.policies.representations import Representation

__all__ = ["confusion_finding", "embedding_finding", "subjects_finding"]

STAGES = ("W", "N1", "N2", "N3", "REM")
LEAK = 1.5


def subjects_finding(contrast: pd.DataFrame, subjects: pd.DataFrame) -> str:
    """Whether the top policy beats the baseline for people in general, and for how many."""
    if contrast.empty or subjects.empty:
        return "No top policy and baseline ran in one block with scores by subject: cannot tell."
    row = contrast.iloc[0]
    gains = int((subjects["difference"] > 0).sum())
    people = f"{gains} of {plural(len(subjects), 'subject')} score higher with it."
    value = f"{signed(row['difference'])} points ({interval(row['low'], row['high'])})"
    if not (np.isfinite(row["low"]) and np.isfinite(row["high"])):
        return f"{people} Two subjects and more are needed for an interval."
    if row["low"] > 0 or row["high"] < 0:
        word = "higher" if row["low"] > 0 else "lower"
        return f"Over these subjects the policy scores {word} than the baseline: {value}. {people}"
    return (
        f"Whether the difference would be found in other subjects, this block cannot tell: "
        f"{value}. {people}"
    )


def confusion_finding(confusions: Mapping[str, NDArray[np.int64]]) -> str:
    """Which confusion of stages the top policy reduces most."""
    if not confusions:
        return "Confusion matrices were not recorded."
    if len(confusions) < 2:
        only = next(iter(confusions))
        return f"Only the {only} policy has a confusion matrix, so there is no difference to show."
    best, baseline = (_rates(confusions[key]) for key in ("best", "baseline"))
    change = np.diag(best - baseline)
    if not np.isfinite(change).any():
        return "The two matrices share no stage."
    top = int(np.nanargmax(change))
    worst = int(np.nanargmin(change))
    text = f"The largest gain is in {STAGES[top]}: {signed(change[top])} points more recognised"
    if change[top] <= 0:
        text = "No stage is recognised more often"
    low = f"; {STAGES[worst]} loses {points(-change[worst])}" if change[worst] < 0 else ""
    return f"{text}{low}. One block each: shares, not a test."


def embedding_finding(representations: "Mapping[str, Representation]") -> str:
    """Whether the embedding holds the stages, and whether it holds who slept."""
    if not representations:
        return "No representation was recorded, so nothing is shown."
    parts = []
    for key, found in representations.items():
        name = "the top policy" if key == "best" else "the baseline"
        parts.append(f"of {name}, {share(found.knn_stage)} of the stages")
    one = representations.get("best") or next(iter(representations.values()))
    leak = one.knn_subject > LEAK * one.chance_subject
    if not np.isfinite(one.knn_subject):
        return f"Nearest neighbours tell, {'; '.join(parts)}."
    tail = (
        f"They also tell the subject in {share(one.knn_subject)} of the epochs where guessing "
        f"tells {share(one.chance_subject)}"
    )
    mean = "the embedding holds who slept" if leak else "hardly more than guessing"
    return f"Nearest neighbours tell, {'; '.join(parts)}. {tail}: {mean}."


def _rates(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    total = matrix.sum(axis=1, keepdims=True).astype(float)
    return np.asarray(100 * matrix / np.where(total > 0, total, np.nan))
