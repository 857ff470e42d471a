"""Which rows of a results table may be compared, and why the others may not.

Nothing is dropped in silence: every rule that takes rows away is counted, and the report prints
the count.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sleepsweep.results import CONFUSION_CELLS, STAGES, ResultsTable, TableError
from sleepsweep_analysis.reruns import average_reruns

__all__ = ["Comparable", "comparable", "last_rows", "over_sizes", "settings_of",
           "subjects_in_two_roles", "swept"]  # fmt: skip

PLACEBO = "placebo"
"""The category of what does nothing: it does not count towards the size of a policy."""

BASELINE = "baseline"
"""The kind of trials that have no policy: they are shown beside a ranking and never in it."""

ROLES = ("validation", "test")
RERUN = "the same policy, block and rung run again: averaged into one row"
CHANCE = "collapsed with no score: scored at chance (the majority stage)"


@dataclass(frozen=True)
class Comparable:
    """The rows that the model reads.

    `rows` are trial × rung rows with the macro-F1 in points in the column ``points`` and how many
    runs a row averages in ``replicates``; `left_out` has a row for each reason (``reason, rows,
    trials``); `pool` names the augmentations and `category` the category of each, in pool order;
    `collapsed` are the trials that collapsed; `steps` is the length of a full run in optimiser
    steps, 0 where the study does not say; `reruns` counts the runs that repeated another one and
    `rerun_sd` is the sd, in points, between such runs (NaN where there are none). Effects are means
    over random sets of `smallest` to `largest` augmentations.
    """

    rows: pd.DataFrame
    left_out: pd.DataFrame
    pool: tuple[str, ...]
    category: tuple[str, ...]
    largest: int
    collapsed: frozenset[str]
    steps: int = 0
    reruns: int = 0
    rerun_sd: float = float("nan")
    smallest: int = 1

    @property
    def switches(self) -> list[str]:
        """Names of the inclusion columns, in pool order."""
        return [f"on.{name}" for name in self.pool]

    @property
    def real(self) -> list[str]:
        """The augmentations that count towards size, in pool order: all but the placebo."""
        pairs = zip(self.pool, self.category, strict=True)
        return [name for name, category in pairs if category != PLACEBO]

    @property
    def real_switches(self) -> list[str]:
        """Names of the inclusion columns of `real`."""
        return [f"on.{name}" for name in self.real]

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

    @property
    def one_a_trial(self) -> pd.DataFrame:
        """The row of each trial's last rung among `rows`, in launch order."""
        ordered = self.rows.sort_values(["order", "rung"], kind="stable")
        return ordered.groupby("trial", sort=False).tail(1).reset_index(drop=True)

    def describe(self) -> pd.DataFrame:
        """What is in the model and what is left out, and why: ``rows, trials, what``."""
        kept = {"rows": len(self.rows), "trials": self.n_trials, "what": "in the model"}
        others = self.left_out.rename(columns={"reason": "what"})
        return pd.concat([pd.DataFrame([kept]), others], ignore_index=True)

    def without_collapsed(self) -> "Comparable":
        """Return the same rows without the trials that collapsed."""
        return replace(self, rows=self.rows[~self.rows["trial"].isin(self.collapsed)])


def comparable(table: ResultsTable) -> Comparable:
    """Choose the rows of `table` that one model may describe.

    Left out are baselines (they have no policy), confirmation runs (they read other subjects), rows
    without a score, rows scored on the test split where others were scored on validation, rows of
    another version of the data, rows of stopped trials that do not say where they stopped, and
    repeated rows. Repeated runs are averaged (`sleepsweep_analysis.reruns`). A collapsed trial with
    no score is an outcome, not a gap: it is scored at chance. Raises `TableError` where a column or
    the pool is missing, a score is not in 0–1, or a subject was scored both to choose policies and
    to test them.
    """
    _validate(table)
    rows = table.trials.assign(points=_points(table))
    rows["replicates"] = rows["replicates"].clip(lower=1) if "replicates" in rows else 1
    counted: list[dict[str, object]] = []
    for reason, rule in _RULES:
        bad = rule(rows)
        if bad.any():
            trials = rows.loc[bad, "trial"].nunique()
            counted.append({"reason": reason, "rows": int(bad.sum()), "trials": int(trials)})
        rows = rows[~bad]
    merged = average_reruns(rows.reset_index(drop=True))
    if merged.runs:
        averaged = len(rows) - len(merged.rows)
        counted.append({"reason": RERUN, "rows": averaged, "trials": merged.runs})
    return Comparable(
        rows=merged.rows,
        left_out=pd.DataFrame(counted, columns=["reason", "rows", "trials"]),
        pool=tuple(table.study.categories),
        category=tuple(str(name) for name in table.study.categories.values()),
        largest=_largest(table, rows),
        collapsed=_collapsed(merged.rows),
        steps=table.study.steps,
        reruns=merged.runs,
        rerun_sd=merged.sd,
    )


def over_sizes(chosen: Comparable, sizes: tuple[int, int] | None) -> Comparable:
    """Return `chosen` with effects over sets of these sizes; `TableError` where there are none."""
    if sizes is None:
        return chosen
    smallest, largest = sizes
    if not 1 <= smallest <= largest <= len(chosen.real):
        raise TableError(
            f"reference sizes {smallest} to {largest}: sets have between 1 and "
            f"{len(chosen.real)} of the pool's augmentations, the smaller size first."
        )
    return replace(chosen, smallest=smallest, largest=largest)


def last_rows(table: ResultsTable) -> pd.DataFrame:
    """Return one row a trial: the row of its last rung, in launch order."""
    ordered = table.trials.sort_values(["order", "rung"], kind="stable")
    return ordered.groupby("trial", sort=False).tail(1).reset_index(drop=True)


def settings_of(trials: pd.DataFrame, augmentations: Collection[str]) -> list[str]:
    """Return the columns ``hp.PATH`` of searched settings: all that are of no augmentation."""
    searched = [str(column) for column in trials if str(column).startswith("hp.")]
    return [column for column in searched if column.split(".")[1] not in augmentations]


def swept(trials: pd.DataFrame) -> pd.DataFrame:
    """Return those rows that answer the sweep's question: no baselines and no confirmation."""
    return trials[~trials["kind"].isin([BASELINE, "confirmation"])]


def _validate(table: ResultsTable) -> None:
    if not table.study.categories:
        raise TableError("trials: the study names no augmentations, so there is nothing to rank.")
    missing = [f"on.{name}" for name in table.study.categories if f"on.{name}" not in table.trials]
    if missing:
        raise TableError(f"trials: columns missing: {', '.join(missing)}.")
    scores = table.trials["macro_f1"]
    if ((scores < 0) | (scores > 1)).any():
        raise TableError("trials: macro_f1 must lie in 0–1 (the report turns it into points).")
    both = subjects_in_two_roles(table)
    if both:
        raise TableError(
            f"LEAK_SUBJECT: {_some(both)}: scored among the validation subjects of some trials and "
            "among the test subjects of others, so neither score is of unseen subjects. The "
            "analysis is refused; set the test subjects aside once, and run the trials again."
        )


def subjects_in_two_roles(table: ResultsTable) -> list[str]:
    """Subjects that were scored both as validation and as test subjects, sorted."""
    roles = table.trials[["trial", "rung", "selected_on"]].drop_duplicates()
    people = table.subjects[["trial", "rung", "subject"]].merge(roles, on=["trial", "rung"])
    of = {role: set(people.loc[people["selected_on"] == role, "subject"]) for role in ROLES}
    return sorted(str(name) for name in set.intersection(*of.values()))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


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
    categories = table.study.categories
    switches = [f"on.{name}" for name, category in categories.items() if category != PLACEBO]
    seen = int(rows[switches].sum(axis=1).max()) if len(rows) else 0
    return min(int(table.study.sizes[1]) or seen, len(switches))


def _collapsed(rows: pd.DataFrame) -> frozenset[str]:
    return frozenset(rows.loc[rows["decision"] == "collapsed", "trial"])


def _confirmation(rows: pd.DataFrame) -> pd.Series:
    return rows["kind"] == "confirmation"


def _baseline(rows: pd.DataFrame) -> pd.Series:
    return rows["kind"] == BASELINE


def _on_test(rows: pd.DataFrame) -> pd.Series:
    on_test = rows["selected_on"] == "test"
    return on_test & bool((rows["selected_on"] == "validation").any())


def _other_data(rows: pd.DataFrame) -> pd.Series:
    counts = rows["data_hash"].value_counts()
    return rows["data_hash"] != (counts.index[0] if len(counts) else "")


def _stopped_somewhere(rows: pd.DataFrame) -> pd.Series:
    """Scores of stopped trials at a length that nothing tells: neither a rung nor a step."""
    told = rows["rung"].nunique() > 1
    return (rows["decision"] == "stop") & (rows["step"] <= 0) & (not told)


def _repeated(rows: pd.DataFrame) -> pd.Series:
    return rows.duplicated(["trial", "rung"], keep="last")


def _no_score(rows: pd.DataFrame) -> pd.Series:
    return rows["points"].isna()


_RULES = (
    ("baselines: they have no policy and stand beside the ranking", _baseline),
    ("confirmation runs: they read other subjects than the rest", _confirmation),
    ("no score: the trial failed, or had not reported", _no_score),
    ("scored on the test split while others were scored on validation", _on_test),
    ("run on another version of the data than most", _other_data),
    ("stopped early, and neither the rung nor the step is recorded", _stopped_somewhere),
    ("the same trial and rung a second time", _repeated),
)
