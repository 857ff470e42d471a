"""The results of a sweep as two tables: the schema, in one place, and its parquet files.

`trials` has one row a trial × rung, `subjects` one row a trial × rung × subject with the cells of
that subject's confusion matrix. `StudyInfo` is what both mean: it travels inside `trials.parquet`
as schema metadata, so that one file is enough to draw the report again anywhere.

This module, and nothing else of `sleepsweep`, is what the analysis package imports.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sleepsweep.errors import UserError
from sleepsweep.metrics import STAGES, Confusion, macro_f1
from sleepsweep.replacing import replacing

__all__ = [
    "DECISIONS", "KINDS", "STAGES", "Confusion", "ResultsTable", "StudyInfo", "TableError",
    "macro_f1",
]  # fmt: skip

SCHEMA_VERSION = 1
KINDS = ("design", "anchor", "search", "confirmation", "baseline")
DECISIONS = ("continue", "stop", "done", "collapsed", "failed")

IDENTITY: dict[str, str] = {
    "sweep": "str", "trial": "str", "order": "int64", "kind": "str", "design": "str",
    "block": "int64", "split": "int64", "seed": "int64", "policy": "str", "size": "int64",
    "p_sum": "float64",
}  # fmt: skip
OUTCOME: dict[str, str] = {
    "rung": "int64", "step": "int64", "last": "bool", "decision": "str", "bracket": "int64",
    "accuracy": "float64", "macro_f1": "float64", "kappa": "float64",
    **{f"f1.{stage}": "float64" for stage in STAGES},
    "loss": "float64", "steps_trained": "int64", "time_s": "float64",
}  # fmt: skip
PROVENANCE: dict[str, str] = {
    "host": "str", "device": "str", "version": "str", "data_hash": "str", "split_hash": "str",
    "selected_on": "str", "split_from": "str", "batch_size": "int64", "stop_rule": "str",
}  # fmt: skip
TRIAL_COLUMNS = IDENTITY | OUTCOME | PROVENANCE

OPTIONAL: dict[str, str] = {"replicates": "int64", "seeds": "str", "protocol": "str"}
"""Columns of results from elsewhere, kept where they are given: how many runs a row averages, the
seeds of these runs as text, and a name for the way they were made. A sweep has none of them."""
EMBEDDINGS = "embeddings"
"""The folder beside the tables that holds files ID.npz of trials' embeddings."""

PREFIXES = ("on.", "severity.", "p.", "hp.")

CONFUSION_CELLS = tuple(f"{reference}>{predicted}" for reference in STAGES for predicted in STAGES)
SUBJECT_COLUMNS: dict[str, str] = {
    "trial": "str", "rung": "int64", "subject": "str", **dict.fromkeys(CONFUSION_CELLS, "int64")
}  # fmt: skip


class TableError(UserError):
    """A results table that cannot be read: it names the file and the columns."""


@dataclass(frozen=True)
class StudyInfo:
    """What a results table is about; stored inside ``trials.parquet``.

    `categories` maps each augmentation of the pool to its category, in pool order; `sizes` is the
    smallest and largest policy size of the sweep's question. `settings` are the scalars of encoder,
    pretraining and probe by dotted path: a value, or the range that was searched, as YAML has it.
    `extended` says when trials were added, and how many; `test_opened` holds the times at which the
    test subjects were opened.
    """

    name: str
    question: str = ""
    categories: Mapping[str, str] = field(default_factory=dict)
    sizes: tuple[int, int] = (0, 0)
    goal: str = "rank"
    sampler: str = "random"
    planned_trials: int = 0
    steps: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: str = ""
    subjects: Mapping[str, int] = field(default_factory=dict)
    command: str = ""
    created: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    extended: tuple[str, ...] = ()
    test_opened: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild the description from `plain`."""
        tuples = ("sizes", "extended", "test_opened")
        return cls(**{**plain, **{key: tuple(plain[key]) for key in tuples if key in plain}})

    @property
    def searched(self) -> tuple[str, ...]:
        """Paths of the searched scalars, each a column ``hp.PATH``."""
        return tuple(path for path, value in self.settings.items() if isinstance(value, dict))

    @property
    def plain(self) -> dict[str, Any]:
        """The description as plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ResultsTable:
    """A sweep's results: `trials`, `subjects` (data frames with the columns above) and `study`.

    Of a table from elsewhere, `unread` names the columns that were not used and `notes` says in
    sentences what was assumed when it was read; neither is stored in the files. `embeddings` is
    the folder where files ID.npz of some trials' embeddings may lie.
    """

    trials: pd.DataFrame
    subjects: pd.DataFrame
    study: StudyInfo
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    embeddings: Path | None = None

    @classmethod
    def of_rows(
        cls, trials: list[dict[str, Any]], subjects: list[dict[str, Any]], study: StudyInfo
    ) -> Self:
        """Build the tables from plain rows.

        A missing ``on.NAME`` means that the augmentation is absent from the policy; a missing
        ``severity.NAME``, ``p.NAME`` or metric is NaN. Choices among words and numbers are words.
        """
        table = pd.DataFrame(trials, columns=_trial_columns(trials, study))
        switches = [str(column) for column in table if str(column).startswith("on.")]
        table[switches] = table[switches].astype("boolean").fillna(False).astype(bool)
        kinds = {name: kind for name, kind in (TRIAL_COLUMNS | OPTIONAL).items() if name in table}
        table = table.astype(kinds).sort_values(["order", "rung"], ignore_index=True)
        for column in [str(name) for name in table if str(name).startswith("hp.")]:
            table[column] = _of_one_type(table[column])
        people = pd.DataFrame(subjects, columns=list(SUBJECT_COLUMNS)).astype(SUBJECT_COLUMNS)
        return cls(table, people.sort_values(list(SUBJECT_COLUMNS)[:3], ignore_index=True), study)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read ``trials.parquet`` and ``subjects.parquet`` of a sweep folder.

        `path` may also be a file that was ``trials.parquet`` once: then ``subjects.parquet`` may
        stand beside it or not. Raises `TableError` when a file is missing, is not parquet or lacks
        a column.
        """
        file = path if path.is_file() else path / "trials.parquet"
        trials = _read_parquet(file, TRIAL_COLUMNS)
        study = _read_study(trials, file)
        table, beside = trials.to_pandas(), file.parent / "subjects.parquet"
        if path.is_file() and not beside.exists():
            return cls.of_frames(table, study)
        subjects = _read_parquet(beside, SUBJECT_COLUMNS).to_pandas()
        mine = subjects[subjects["trial"].isin(table["trial"])]
        return cls(table, mine, study, embeddings=file.parent / EMBEDDINGS)

    @classmethod
    def of_frames(cls, trials: pd.DataFrame, study: StudyInfo) -> Self:
        """A table of `trials` whose subjects were not recorded."""
        return cls(trials, cls.of_rows([], [], study).subjects, study)

    def write(self, folder: Path) -> None:
        """Write both parquet files into `folder`, each atomically."""
        described = pa.Table.from_pandas(self.trials, preserve_index=False)
        metadata = {
            **(described.schema.metadata or {}),
            b"sleepsweep": json.dumps(self.study.plain).encode(),
        }
        _write_parquet(described.replace_schema_metadata(metadata), folder / "trials.parquet")
        people = pa.Table.from_pandas(self.subjects, preserve_index=False)
        _write_parquet(people, folder / "subjects.parquet")

    def confusions(self, trial: str, rung: int) -> dict[str, Confusion]:
        """Confusion matrix of each subject, (5, 5) with the reference in rows, for one rung."""
        rows = self.subjects[(self.subjects["trial"] == trial) & (self.subjects["rung"] == rung)]
        cells = rows[list(CONFUSION_CELLS)].to_numpy(dtype=np.int64).reshape(-1, 5, 5)
        return dict(zip(rows["subject"], cells, strict=True))


def _of_one_type(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The column as text where its values have several types: a parquet file's have one."""
    kinds = column.dropna().map(type).nunique()
    return column if kinds < 2 else column.astype(str).where(column.notna())


def _trial_columns(rows: list[dict[str, Any]], study: StudyInfo) -> list[str]:
    pool = [f"{prefix}{name}" for name in study.categories for prefix in ("on.", "severity.", "p.")]
    given = {column for row in rows for column in row}
    found = {column for column in given if column.startswith(PREFIXES)}
    optional = [column for column in OPTIONAL if column in given]
    return [*TRIAL_COLUMNS, *optional, *pool, *sorted(found - set(pool))]


def _read_parquet(path: Path, columns: Mapping[str, str]) -> pa.Table:
    if not path.is_file():
        raise TableError(
            f"{path}: no such file. A sweep folder holds it once a trial has reported."
        )
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{path}: not a parquet file ({error}).") from error
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise TableError(f"{path}: columns missing: {', '.join(missing)}.")
    return table


def _read_study(trials: pa.Table, path: Path) -> StudyInfo:
    text = (trials.schema.metadata or {}).get(b"sleepsweep")
    if text is None:
        raise TableError(f"{path}: not written by sleepsweep (the study's description is missing).")
    try:
        fields = json.loads(text)
        if fields["schema_version"] == SCHEMA_VERSION:
            return StudyInfo.of_plain(fields)
    except (ValueError, KeyError, TypeError) as error:
        raise TableError(
            f"{path}: the study's description in it is damaged ({error}). Write the file again "
            "from its sweep, or give a CSV with documented columns (analysis/README.md)."
        ) from error
    raise TableError(
        f"{path}: written with table version {fields['schema_version']}, "
        f"this sleepsweep reads version {SCHEMA_VERSION}."
    )


def _write_parquet(table: pa.Table, path: Path) -> None:
    with replacing(path) as partial:
        pq.write_table(table, partial)
