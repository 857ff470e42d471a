"""Which rows of a results table may be compared, and why the others may not.

Nothing is dropped in silence: every rule that takes rows away is counted, and the report prints
the count.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sleepsweep.results import CONFUSION_CELLS, STAGES, ResultsTable, TableError

__all__ = ["Comparable", "comparable", "last_rows"]

CHANCE = "collapsed with no score: scored at chance (the majority stage)"


@dataclass(frozen=True)
class Comparable:
    """The rows that the model reads.

    `rows` are trial × rung rows with the macro-F1 in points in the column ``points``;
    `left_out` has a row for each reason (``reason, rows, trials``); `pool` names the augmentations
    and `category` the category of each, in pool order; `collapsed` are the trials that collapsed;
    `steps` is the length of a full run in optimiser steps, 0 where the study does not say.
    """

    rows: pd.DataFrame
    left_out: pd.DataFrame
    pool: tuple[str, ...]
    category: tuple[str, ...]
    largest: int
    collapsed: frozenset[str]
    steps: int = 0
    rerun_sd: float = float("nan")

    @property
    def switches(self) -> list[str]:
        """Names of the inclusion columns, in pool order."""
        return [f"on.{name}" for name in self.pool]

    @property
    def last(self) -> int | None:
        """The rung at full length (step = `steps`), None where no trial has reached it.

        Where the study does not give its length, it is the largest rung that was reported.
        """
        rungs = self.rows["rung"]
        if self.steps > 0:
            rungs = rungs[self.rows["step"] == self.steps]
        return int(rungs.max()) if len(rungs) else None

    @property
    def n_trials(self) -> int:
        """How many trials have a row in the model."""
        return int(self.rows["trial"].nunique())

    def present(self, name: str) -> int:
        """How many trials of the model contain the augmentation `name`."""
        return int(self.rows.loc[self.rows[f"on.{name}"], "trial"].nunique())

    def without_collapsed(self) -> "Comparable":
        """Return the same rows without the trials that collapsed."""
        return replace(self, rows=self.rows[~self.rows["trial"].isin(self.collapsed)])


def comparable(table: ResultsTable) -> Comparable:
    """Choose the rows of `table` that one model may describe.

    Left out are confirmation runs (they read other subjects), rows without a score, rows scored on
    the test split where others were scored on validation, rows of another version of the data,
    and repeated rows. A collapsed trial with no score is an outcome, not a gap: it is scored at
    chance. Raises `TableError` where a column or the pool is missing, or a score is not in 0–1.
    """
    _validate(table)
    rows = table.trials.assign(points=_points(table), replicates=1)
    counted: list[dict[str, object]] = []
    for reason, rule in _RULES:
        bad = rule(rows)
        if bad.any():
            trials = rows.loc[bad, "trial"].nunique()
            counted.append({"reason": reason, "rows": int(bad.sum()), "trials": int(trials)})
        rows = rows[~bad]
    return Comparable(
        rows=rows.reset_index(drop=True),
        left_out=pd.DataFrame(counted, columns=["reason", "rows", "trials"]),
        pool=tuple(table.study.categories),
        category=tuple(str(name) for name in table.study.categories.values()),
        largest=_largest(table, rows),
        collapsed=frozenset(rows.loc[rows["decision"] == "collapsed", "trial"]),
        steps=table.study.steps,
    )


def last_rows(table: ResultsTable) -> pd.DataFrame:
    """Return one row a trial: the row of its last rung, in launch order."""
    ordered = table.trials.sort_values(["order", "rung"], kind="stable")
    return ordered.groupby("trial", sort=False).tail(1).reset_index(drop=True)


def _validate(table: ResultsTable) -> None:
    if not table.study.categories:
        raise TableError("trials: the study names no augmentations, so there is nothing to rank.")
    missing = [f"on.{name}" for name in table.study.categories if f"on.{name}" not in table.trials]
    if missing:
        raise TableError(f"trials: columns missing: {', '.join(missing)}.")
    scores = table.trials["macro_f1"]
    if ((scores < 0) | (scores > 1)).any():
        raise TableError("trials: macro_f1 must lie in 0–1 (the report turns it into points).")


def _points(table: ResultsTable) -> pd.Series:
    """Macro-F1 in points; a collapsed row without a score gets the score of the majority stage."""
    points = 100.0 * table.trials["macro_f1"].where(np.isfinite(table.trials["macro_f1"]))
    gaps = points.isna() & (table.trials["decision"] == "collapsed")
    return points.mask(gaps, _chance(table)) if gaps.any() else points


def _chance(table: ResultsTable) -> float:
    """Macro-F1, in points, of predicting the majority stage: F1 is 2m/(m+n), the others are 0."""
    last = table.subjects.groupby("subject", sort=False).tail(1)
    cells = last[list(CONFUSION_CELLS)].to_numpy(dtype=float).reshape(-1, len(STAGES), len(STAGES))
    counts = cells.sum(axis=(0, 2))
    if counts.sum() == 0:
        return float("nan")
    top = counts.max()
    return float(100.0 * 2.0 * top / (top + counts.sum()) / np.count_nonzero(counts))


def _largest(table: ResultsTable, rows: pd.DataFrame) -> int:
    """Largest size K of the reference distribution: the study's, or else the largest that ran."""
    switches = [f"on.{name}" for name in table.study.categories]
    seen = int(rows[switches].sum(axis=1).max()) if len(rows) else 0
    return min(int(table.study.sizes[1]) or seen, len(switches))


def _confirmation(rows: pd.DataFrame) -> pd.Series:
    return rows["kind"] == "confirmation"


def _on_test(rows: pd.DataFrame) -> pd.Series:
    on_test = rows["selected_on"] == "test"
    return on_test & bool((rows["selected_on"] == "validation").any())


def _other_data(rows: pd.DataFrame) -> pd.Series:
    counts = rows["data_hash"].value_counts()
    return rows["data_hash"] != (counts.index[0] if len(counts) else "")


def _repeated(rows: pd.DataFrame) -> pd.Series:
    return rows.duplicated(["trial", "rung"], keep="last")


def _no_score(rows: pd.DataFrame) -> pd.Series:
    return rows["points"].isna()


_RULES = (
    ("confirmation runs: they read other subjects than the rest", _confirmation),
    ("no score: the trial failed, or had not reported", _no_score),
    ("scored on the test split while others were scored on validation", _on_test),
    ("run on another version of the data than most", _other_data),
    ("the same trial and rung a second time", _repeated),
)
