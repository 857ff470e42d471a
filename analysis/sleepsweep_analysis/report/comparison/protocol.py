"""In what the sweeps differ besides their policies."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from sleepsweep_analysis.report.columns import Column, text
from sleepsweep_analysis.report.section import Section, Table, Text
from sleepsweep_analysis.report.sections.common import people
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words.comparison import protocol_finding
from sleepsweep_analysis.words.numbers import shortened

__all__ = ["protocol_section"]

MOST = 6

COLUMNS = {
    "Batch size": "batch_size", "Stopping rule": "stop_rule", "Scored on": "selected_on",
    "Splits from": "split_from", "Code version": "version", "Data hash": "data_hash",
    "Device": "device",
}  # fmt: skip

STUDY: dict[str, Callable[[Analysis], object]] = {
    "Data": lambda one: one.table.study.data,
    "Subjects": lambda one: people(one.table.study),
    "Pool": lambda one: f"{len(one.chosen.pool)} augmentations",
    "Sizes": lambda one: "–".join(map(str, one.table.study.sizes)),
    "Sampler": lambda one: one.table.study.sampler,
    "Steps at full length": lambda one: one.table.study.steps or "",
}

AMOUNTS: dict[str, Callable[[Analysis], object]] = {
    "Blocks": lambda one: int(one.chosen.rows["block"].nunique()),
    "Trials in the model": lambda one: one.chosen.n_trials,
}
"""How much was run: it makes intervals narrow, it does not make effects differ."""


def protocol_section(named: Mapping[str, Analysis]) -> Section:
    """Protocols side by side, and their differences in words."""
    frame = _frame(named)
    columns = (
        text("setting", "Setting"),
        *(Column(shortened(name, 40), _cell(name)) for name in named),
        text("same", "Same"),
    )
    differing = frame.loc[frame["same"] == "no", "setting"].tolist()
    table = Table("protocol", "Protocols side by side", frame, columns)
    return Section("protocol", "Protocols", (Text(protocol_finding(differing)), table))


def _frame(named: Mapping[str, Analysis]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for setting, of in STUDY.items():
        rows.append(_row(setting, {name: str(of(one)) for name, one in named.items()}))
    for setting, column in COLUMNS.items():
        rows.append(_row(setting, {name: _values(one, column) for name, one in named.items()}))
    for amount, of in AMOUNTS.items():
        row = _row(amount, {name: str(of(one)) for name, one in named.items()})
        rows.append({**row, "same": ""})
    known = [row for row in rows if any(row[name] for name in named)]
    return pd.DataFrame(known, columns=["setting", *named, "same"])


def _row(setting: str, values: dict[str, str]) -> dict[str, str]:
    return {"setting": setting, **values, "same": "yes" if len(set(values.values())) == 1 else "no"}


def _values(analysis: Analysis, column: str) -> str:
    found = sorted({shortened(value, 40) for value in analysis.chosen.rows[column]} - {"", "nan"})
    return ", ".join(found[:MOST]) + (f" and {len(found) - MOST} more" if len(found) > MOST else "")


def _cell(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: str(row[name]) or "–"
