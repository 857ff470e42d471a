"""The trials of a sweep of several objectives that no other trial beats in all of them."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sleepsweep.folder.record import TrialRecord
from sleepsweep.replacing import replacing
from sleepsweep.spec.objectives import OBJECTIVES

PARETO = "pareto.csv"


def pareto_rows(
    records: Iterable[TrialRecord], objectives: Sequence[str], searched: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Return a row for each trial that none of its block is as good as in all and better in one.

    Only trials that ran to their last rung are compared, and only within a block: another split
    alone may be worth more than any policy. Confirmations are left out, as they saw the test
    subjects, and baselines, which have no policy. Rows are in the order of blocks, the best by the
    first objective first.
    """
    ended = [
        record
        for record in records
        if record.state == "done" and not record.confirms and record.has_policy
    ]
    rows = [_row(record, objectives, searched) for record in ended]
    kept = [row for row in rows if not any(_beats(other, row, objectives) for other in rows)]
    return sorted(kept, key=lambda row: (row["block"], -row[objectives[0]], row["order"]))


def write_pareto(rows: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """Write the rows, of which there is one at least, as ``pareto.csv``; return its path."""
    path = folder / PARETO
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _row(record: TrialRecord, objectives: Sequence[str], searched: Iterable[str]) -> dict[str, Any]:
    trial, last = record.trial, record.rows[-1]
    return {
        "block": trial.block, "trial": trial.id, "order": record.order, "kind": record.kind,
        **{name: last[name] for name in objectives},
        "policy": trial.policy_text,
        **{path: trial.parts.value(path) for path in searched},
    }  # fmt: skip


def _beats(one: Mapping[str, Any], other: Mapping[str, Any], objectives: Sequence[str]) -> bool:
    if one["block"] != other["block"]:
        return False
    signs = [1 if OBJECTIVES[name] == "max" else -1 for name in objectives]
    gains = [sign * (one[n] - other[n]) for sign, n in zip(signs, objectives, strict=True)]
    return bool(min(gains) >= 0 and max(gains) > 0)
