"""From the cells of a table from elsewhere to a `ResultsTable`; every assumption becomes a note."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sleepsweep.results import ResultsTable, StudyInfo, TableError
from sleepsweep_analysis.reading.cells import Cells
from sleepsweep_analysis.reading.columns import COLUMNS, unknown
from sleepsweep_analysis.reading.members import Policies

__all__ = ["of_cells"]

PASSED = ("design", "protocol", "stop_rule", "selected_on", "split_from", "host", "device",
          "version", "data_hash", "split_hash")  # fmt: skip
"""Columns of text that are taken as they stand."""


def of_cells(cells: Cells, categories: Mapping[str, str]) -> ResultsTable:
    """Read the rows and what they are about; raises `TableError` with the row and the column."""
    notes: list[str] = []
    policies = Policies.of_cells(cells)
    columns = {
        **_identity(cells, notes),
        **_scores(cells, notes),
        **_progress(cells),
        **{name: cells.text(name) for name in PASSED if name in cells},
        **policies.columns(cells),
        **{name: _covariate(cells, name) for name in cells.named("hp.")},
    }
    _check_trials(cells, columns)
    columns["decision"] = _decisions(cells, columns)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    categorised, more = policies.categories(cells, categories)
    study = StudyInfo(
        name=cells.path.stem,
        categories=categorised,
        sizes=(min(columns["size"]), max(columns["size"])),
        sampler="",
        planned_trials=len(set(columns["trial"])),
    )
    table = ResultsTable.of_rows([_complete(row) for row in rows], [], study)
    unread = tuple(unknown([str(name) for name in cells.frame]))
    if unread:
        notes.insert(0, f"Columns that were not used: {', '.join(unread)}.")
    return replace(table, unread=unread, notes=(*notes, *more))


def _complete(row: dict[str, Any]) -> dict[str, Any]:
    """`row` with the columns of the schema that the file does not have, empty."""
    empty = {"sweep": "", "design": "", "host": "", "device": "", "version": "", "data_hash": "",
             "split_hash": "", "selected_on": "", "split_from": "", "stop_rule": "",
             "batch_size": 0, "bracket": 0}  # fmt: skip
    return {**empty, **row, "last": row["decision"] != "continue"}


def _identity(cells: Cells, notes: list[str]) -> dict[str, list[Any]]:
    count = range(len(cells))
    width = len(str(len(cells)))
    trial = cells.text("trial") if "trial" in cells else [f"row{n + 1:0{width}d}" for n in count]
    kinds = cells.text("kind", COLUMNS["kind"].allowed) if "kind" in cells else [""] * len(cells)
    return {
        "trial": [name or f"row{n + 1:0{width}d}" for n, name in enumerate(trial)],
        "order": _or(cells, "order", list(count)),
        "kind": [kind or "search" for kind in kinds],
        **_blocks(cells, notes),
    }


def _blocks(cells: Cells, notes: list[str]) -> dict[str, list[Any]]:
    """Block, split and seeds: rows of one split and one set of seeds are a block."""
    texts = {
        name: cells.text(name) for name in ("block", "split", "seed", "seeds") if name in cells
    }
    known = [name for name in ("split", "seeds", "seed") if name in texts]
    if "block" in texts:
        block = _codes(texts["block"])
    elif known:
        block = _codes([" ".join(row) for row in zip(*(texts[n] for n in known), strict=True)])
        notes.append(f"No column block: rows of the same {' and '.join(known)} are a block.")
    else:
        block = [0] * len(cells)
        notes.append("No column block, split, seed or seeds: all rows are taken as one block.")
    seeded = "split_from" in cells and set(cells.text("split_from")) == {"seed"}
    split = _codes(texts["split"]) if "split" in texts else block if seeded else [0] * len(cells)
    if "split" not in texts and not seeded and known:
        notes.append("No column split: all rows are taken to share one subject split.")
    seeds = texts.get("seeds", texts.get("seed", [""] * len(cells)))
    given = cells.counts("n_seeds") if "n_seeds" in cells else [None] * len(cells)
    return {
        "block": block,
        "split": split,
        "seed": [int(text) if text.isdecimal() and len(text) < 19 else -1 for text in seeds],
        "seeds": seeds,
        "replicates": [n or max(1, len(s.split(";"))) for n, s in zip(given, seeds, strict=True)],
    }


def _codes(texts: list[str]) -> list[int]:
    """The numbers in `texts`, or else a number for each distinct text."""
    if all(text.isdecimal() and len(text) < 10 for text in texts):
        return [int(text) for text in texts]
    order = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    return [order[text] for text in texts]


def _scores(cells: Cells, notes: list[str]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    points = []
    for name, column in COLUMNS.items():
        if column.kind == "score" and name in cells:
            columns[name], scaled = cells.scores(name)
            points += [name] if scaled else []
    if points:
        notes.append(f"Read as points, because a value is over 1: {', '.join(points)}.")
    for name in ("loss", "time_s"):
        if name in cells:
            columns[name] = cells.numbers(name)
    return columns


def _progress(cells: Cells) -> dict[str, list[Any]]:
    step = _or(cells, "step", [0] * len(cells))
    ladder = {value: rung for rung, value in enumerate(sorted(set(step)))}
    counts = {name: _or(cells, name, [0] * len(cells)) for name in ("bracket", "batch_size")}
    return {
        "step": step,
        "rung": _or(cells, "rung", [ladder[value] for value in step]),
        "steps_trained": _or(cells, "steps_trained", step),
        **counts,
    }


def _or(cells: Cells, column: str, otherwise: list[int]) -> list[int]:
    if column not in cells:
        return otherwise
    given = cells.counts(column)
    return [o if n is None else n for n, o in zip(given, otherwise, strict=True)]


def _decisions(cells: Cells, columns: Mapping[str, list[Any]]) -> list[str]:
    """As given; else failed without a score, continue before a trial's last rung, and done."""
    count = len(cells)
    allowed = COLUMNS["decision"].allowed
    given = cells.text("decision", allowed) if "decision" in cells else [""] * count
    furthest: dict[str, int] = {}
    for trial, rung in zip(columns["trial"], columns["rung"], strict=True):
        furthest[trial] = max(rung, furthest.get(trial, 0))
    made = []
    for row in range(count):
        ended = columns["rung"][row] == furthest[columns["trial"][row]]
        scored = not np.isnan(columns["macro_f1"][row])
        made.append("continue" if not ended else "done" if scored else "failed")
    return [decision or otherwise for decision, otherwise in zip(given, made, strict=True)]


def _check_trials(cells: Cells, columns: Mapping[str, list[Any]]) -> None:
    """Raise `TableError` where rows of one trial have different policies or blocks."""
    first: dict[str, tuple[Any, ...]] = {}
    known = zip(columns["trial"], columns["policy"], columns["block"], strict=True)
    for row, (trial, *made) in enumerate(known):
        if first.setdefault(trial, tuple(made)) != tuple(made):
            problem = f"{trial} has another policy or block in an earlier row"
            raise cells.error(row, "trial", problem)


def _covariate(cells: Cells, name: str) -> list[Any]:
    """Numbers where every cell is one or empty, otherwise text."""
    try:
        return list(cells.numbers(name))
    except TableError:
        return list(cells.text(name))
