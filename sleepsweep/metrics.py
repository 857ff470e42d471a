"""Sleep-staging metrics, all computed from 5 × 5 confusion matrices (rows: reference).

Working from confusion matrices lets pooled, per-subject and leave-one-subject-out values come from
the same numbers. Values are in 0–1.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

STAGES = ("W", "N1", "N2", "N3", "R")

Confusion = NDArray[np.int64]


def confusion(reference: ArrayLike, predicted: ArrayLike) -> Confusion:
    """Return the (5, 5) confusion matrix of two sequences of stages 0–4, rows the reference."""
    # Half of the time that an import of the results table would take, which needs none of it.
    from sklearn.metrics import confusion_matrix

    matrix = confusion_matrix(reference, predicted, labels=range(len(STAGES)))
    return np.asarray(matrix, dtype=np.int64)


def accuracy(matrix: Confusion) -> float:
    """Share of epochs on the diagonal; NaN for an empty matrix."""
    return _ratio(np.trace(matrix), matrix.sum())


def stage_f1(matrix: Confusion) -> NDArray[np.float64]:
    """F1 of each stage, shape (5,).

    A stage that is present in the reference and never predicted scores 0; a stage absent from the
    reference has no F1 and is NaN.
    """
    hits, present, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    scores = 2.0 * hits / np.maximum(present + predicted, 1)
    return np.where(present > 0, scores, np.nan)


def macro_f1(matrix: Confusion) -> float:
    """Mean F1 over the stages present in the reference; NaN for an empty matrix."""
    scores = stage_f1(matrix)
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else float("nan")


def kappa(matrix: Confusion) -> float:
    """Cohen's κ (Cohen 1960, Educ. Psychol. Meas. 20:37–46).

    NaN where it is undefined: an empty matrix, or both sides constant at the same stage.
    """
    total = matrix.sum()
    if total == 0:
        return float("nan")
    by_chance = float(matrix.sum(axis=0) @ matrix.sum(axis=1)) / float(total) ** 2
    return _ratio(np.trace(matrix) / total - by_chance, 1.0 - by_chance)


def summary(matrix: Confusion) -> dict[str, float]:
    """Return every metric of the results table for one pooled confusion matrix, by column name."""
    by_stage = dict(zip(STAGES, stage_f1(matrix).tolist(), strict=True))
    return {
        "accuracy": accuracy(matrix),
        "macro_f1": macro_f1(matrix),
        "kappa": kappa(matrix),
        **{f"f1.{stage}": score for stage, score in by_stage.items()},
    }


def _ratio(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else float("nan")
