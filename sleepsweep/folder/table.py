"""From recorded trials to the results table."""

from collections.abc import Iterable
from typing import Any

from sleepsweep.folder.record import TrialRecord
from sleepsweep.results import CONFUSION_CELLS, ResultsTable, StudyInfo

# What stands for a trial that failed before its first rung; its scores are missing.
NO_ROW = {
    "rung": 0, "step": 0, "steps_trained": 0, "bracket": 0, "time_s": 0.0, "host": "", "device": "",
}  # fmt: skip


def build_table(
    records: Iterable[TrialRecord], study: StudyInfo, provenance: dict[str, Any]
) -> ResultsTable:
    """Return the table of all recorded rungs.

    `provenance` fills the columns that are the same for the whole sweep. A trial that failed
    before its first rung has one row without scores.
    """
    trials: list[dict[str, Any]] = []
    subjects: list[dict[str, Any]] = []
    for record in records:
        shared = {**provenance, "sweep": study.name, **_identity(record, study.searched)}
        for row in _rows(record):
            trials.append({**shared, **row})
            subjects += _subject_rows(record.trial.id, row)
    return ResultsTable.of_rows(trials, subjects, study)


def _identity(record: TrialRecord, searched: Iterable[str]) -> dict[str, Any]:
    trial = record.trial
    members: dict[str, Any] = {f"hp.{path}": trial.parts.value(path) for path in searched}
    for member in trial.policy:
        members[f"on.{member.name}"] = True
        members[f"p.{member.name}"] = member.p
        members[f"severity.{member.name}"] = member.severity
        for name, value in member.parameters.items():
            members[f"hp.{member.name}.{name}"] = value
    return {
        "trial": trial.id, "order": record.order, "kind": record.kind, "design": record.design,
        "block": trial.block, "split": trial.split, "seed": trial.seed,
        "policy": trial.policy_text, "size": trial.size,
        "p_sum": sum(member.p for member in trial.policy),
        "batch_size": trial.pretrain.batch_size, "split_hash": trial.split_hash,
        "data_hash": trial.data_hash, "selected_on": trial.selected_on,
        **({"stop_rule": "none"} if record.confirms else {}),
        **members,
    }  # fmt: skip


def _rows(record: TrialRecord) -> list[dict[str, Any]]:
    rows = [
        {**row, "last": False, "steps_trained": row["step"] if record.trial.trains else 0}
        for row in record.rows
    ]
    if record.state == "failed":
        rows = rows or [dict(NO_ROW)]
        rows[-1]["decision"] = "failed"
    if rows and record.state != "running":
        rows[-1]["last"] = True
    return rows


def _subject_rows(trial: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for subject, matrix in row.get("confusions", {}).items():
        cells = (count for line in matrix for count in line)
        named = dict(zip(CONFUSION_CELLS, cells, strict=True))
        rows.append({"trial": trial, "rung": row["rung"], "subject": subject, **named})
    return rows
