"""What a staging is worth: tables with intervals over subjects, from predicted and scored stages.

An interval is from the delete-one-subject jackknife (Efron & Tibshirani 1993, An Introduction to
the Bootstrap, eq. 11.5) with Student's t; of one subject there is none. It speaks of other subjects
for this one network, not of other trainings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from sleepsweep.metrics import STAGES, Confusion, accuracy, confusion, kappa, macro_f1, stage_f1

MEASURES: dict[str, Callable[[Confusion], float]] = {
    "accuracy": accuracy, "macro_f1": macro_f1, "kappa": kappa
}  # fmt: skip
"""What is told of all epochs pooled, by name."""

LOWEST = {"kappa": -1.0}
"""The lowest value that a measure can have, where it is not 0."""

OF_SUBJECTS = "macro_f1_of_subjects"
"""The mean over subjects of each one's macro-F1, beside that of all their epochs pooled."""


@dataclass(frozen=True)
class Staged:
    """Stages that were predicted, beside those that experts scored.

    `labels` has the columns `subject`, `night`, `position` (of the epoch in its recording) and
    `stage` (0–4), a row an epoch; `predicted` (epoch,) holds as many stages.
    """

    labels: pd.DataFrame
    predicted: NDArray[np.int8]

    @cached_property
    def confusions(self) -> dict[str, Confusion]:
        """Each subject's confusion matrix, (5, 5), rows the reference."""
        subjects = self.labels["subject"].astype(str).to_numpy()
        stages = self.labels["stage"].to_numpy()
        return {
            str(subject): confusion(stages[mine], self.predicted[mine])
            for subject in np.unique(subjects)
            for mine in [subjects == subject]
        }

    @property
    def pooled(self) -> Confusion:
        """The confusion matrix of all epochs, (5, 5)."""
        return np.asarray(sum(self.confusions.values()))

    def predictions(self) -> pd.DataFrame:
        """A row an epoch: subject, night, position, the reference and the predicted stage."""
        names = np.asarray(STAGES)
        where = self.labels[["subject", "night", "position"]]
        reference = names[self.labels["stage"].to_numpy()]
        return where.assign(reference=reference, predicted=names[self.predicted])

    def overall(self) -> pd.DataFrame:
        """A row a measure: `value` in 0–1, its 95 % interval `low` to `high`, subjects, epochs."""
        rows = [
            (name, *self._interval(measure, LOWEST.get(name, 0.0)))
            for name, measure in MEASURES.items()
        ]
        rows.append((OF_SUBJECTS, *_mean_interval([macro_f1(m) for m in self._matrices])))
        table = pd.DataFrame(rows, columns=["measure", "value", "low", "high"])
        return table.assign(subjects=len(self._matrices), epochs=len(self.predicted))

    def by_stage(self) -> pd.DataFrame:
        """A row a stage: epochs scored so, F1 with its interval, precision and recall."""
        pooled = self.pooled
        rows = []
        for place, stage in enumerate(STAGES):
            f1 = self._interval(lambda matrix, at=place: float(stage_f1(matrix)[at]))  # type: ignore[misc]
            hits, scored, told = pooled[place, place], pooled[place].sum(), pooled[:, place].sum()
            rows.append((stage, int(scored), *f1, _share(hits, told), _share(hits, scored)))
        columns = ["stage", "epochs", "f1", "low", "high", "precision", "recall"]
        return pd.DataFrame(rows, columns=columns)

    def by_subject(self) -> pd.DataFrame:
        """A row a subject: epochs, the measures, and the 25 cells of the confusion matrix."""
        rows = []
        for subject, matrix in self.confusions.items():
            values = {name: measure(matrix) for name, measure in MEASURES.items()}
            cells = {
                f"{one}_as_{other}": int(matrix[i, j])
                for i, one in enumerate(STAGES)
                for j, other in enumerate(STAGES)
            }
            rows.append({"subject": subject, "epochs": int(matrix.sum()), **values, **cells})
        return pd.DataFrame(rows)

    def key_values(self) -> dict[str, float]:
        """Every pooled measure, the mean of subjects, and F1 by stage, by name; without NaN."""
        overall = self.overall().set_index("measure")["value"].to_dict()
        by_stage = self.by_stage().set_index("stage")["f1"].add_prefix("f1.").to_dict()
        both = {**overall, **by_stage}
        return {str(name): float(value) for name, value in both.items() if value == value}

    @property
    def _matrices(self) -> list[Confusion]:
        return list(self.confusions.values())

    def _interval(
        self, measure: Callable[[Confusion], float], lowest: float = 0.0
    ) -> tuple[float, float, float]:
        value = measure(self.pooled)
        left = [measure(self.pooled - matrix) for matrix in self._matrices]
        return jackknife(value, np.array(left), lowest, 1.0)


def jackknife(
    value: float, left: NDArray[np.float64], lowest: float = -np.inf, highest: float = np.inf
) -> tuple[float, float, float]:
    """Return a `value` and its 95 % interval, from the values that are `left` without each subject.

    The interval is cut at `lowest` and `highest`. It is NaN of fewer than two subjects, and where
    a value that is left is NaN.
    """
    count = len(left)
    if count < 2:
        return value, np.nan, np.nan
    error = np.sqrt((count - 1) / count * ((left - left.mean()) ** 2).sum())
    return _around(value, error, count, lowest, highest)


def _mean_interval(values: list[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return float(np.mean(values)), np.nan, np.nan
    error = float(np.std(values, ddof=1)) / np.sqrt(len(values))
    return _around(float(np.mean(values)), error, len(values), 0.0, 1.0)


def _around(
    value: float, error: float, count: int, lowest: float, highest: float
) -> tuple[float, float, float]:
    half = float(stdtrit(count - 1, 0.975)) * float(error)
    return float(value), max(float(value) - half, lowest), min(float(value) + half, highest)


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else np.nan
