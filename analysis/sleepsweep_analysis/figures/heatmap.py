"""Heat maps: a value a cell, a number in it where it fits, hatching where nothing was observed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sleepsweep_analysis.figures.figure import Panel, margins
from sleepsweep_analysis.figures.palette import DIVERGING, SEQUENTIAL, label

__all__ = ["heatmap", "numbered"]

ROW = 27
GAP = 19
"""Pixels between the rows on a phone: a row's name stands there."""

SHORT = 17
"""Letters of a column's name on a phone."""

MOST_TEXTS = 10
"""Columns whose cells have room for a number on a phone."""


def heatmap(
    values: ArrayLike,
    rows: Sequence[object],
    columns: Sequence[object],
    *,
    text: Sequence[Sequence[str]] | None = None,
    hover: str = "%{z:.2f}",
    diverging: bool = False,
    span: float | None = None,
    title: str = "",
    hatched: Sequence[tuple[int, int]] = (),
    row_height: int = ROW,
    narrow_columns: Sequence[object] | None = None,
    bar: str = "",
) -> Panel:
    """Cells (row, column) of `values`; NaN is left empty. `span` is the value of full colour.

    `hatched` marks cells (row, column); `narrow_columns` names the columns on a phone; `bar` is
    the unit of the colour bar, which is drawn where it is given.
    """
    z = np.asarray(values, dtype=float)
    top = span if span is not None else _largest(z)
    data = [_cells(z, rows, columns, text, hover, diverging, top, bar)]
    if hatched:
        data.append(_hatching(hatched))
    names = [label(name) for name in columns]
    upright = max((len(name) for name in names), default=0) <= 4
    axis = _axis(names, upright)
    if title:
        axis["title"] = {"text": title}
    bottom = 50 if title else 28
    height = row_height * len(z) + 14 + (bottom if upright else 120)
    layout = {
        "height": height, "margin": margins(20, 12, 12, bottom if upright else 20), "xaxis": axis,
        "yaxis": {**_rows(rows), "range": [len(z) - 0.5, -0.5]},
    }  # fmt: skip
    return Panel(
        data, layout, _narrow(z, rows, narrow_columns or columns, axis, bottom, row_height),
        narrow_data=[{"ygap": GAP, **({"texttemplate": ""} if z.shape[1] > MOST_TEXTS else {})}],
    )  # fmt: skip


def _narrow(
    z: Any, rows: Sequence[object], columns: Sequence[object], axis: dict[str, Any], bottom: int,
    row_height: int,
) -> dict[str, Any]:  # fmt: skip
    """Rows further apart, with their names in the gaps: beside the cells they take half a phone."""
    names = [label(name, SHORT) for name in columns]
    upright = max(map(len, names), default=0) <= 4
    height = (row_height + GAP - 4) * len(z) + 14 + (bottom if upright else 100)
    above = [
        {"xref": "paper", "x": 0, "xanchor": "left", "y": n, "yshift": (row_height - 4) / 2 + 8,
         "text": label(row, 40), "showarrow": False, "font": {"size": 11}}
        for n, row in enumerate(rows)
    ]  # fmt: skip
    return {
        "height": height, "margin": margins(10, 10, 16, bottom), "annotations": above,
        "xaxis": {**axis, **_axis(names, upright)},
        "yaxis": {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False,
                  "range": [len(z) - 0.5, -0.7]},
    }  # fmt: skip


def numbered(names: Sequence[object]) -> tuple[list[str], list[str]]:
    """Names with their numbers for the rows, and the numbers alone for narrow columns."""
    return [f"{n} {name}" for n, name in enumerate(names, 1)], [
        str(n) for n in range(1, len(names) + 1)
    ]


def _cells(
    z: Any, rows: Sequence[object], columns: Sequence[object], text: Any, hover: str,
    diverging: bool, top: float, bar: str,
) -> dict[str, Any]:  # fmt: skip
    named = [[f"{label(row)} · {label(column)}" for column in columns] for row in rows]
    cells = {
        "type": "heatmap", "z": z.tolist(), "customdata": named, "xgap": 1, "ygap": 1,
        "colorscale": DIVERGING if diverging else SEQUENTIAL, "zmin": -top if diverging else 0.0,
        "zmax": top, "showscale": bool(bar), "hoverongaps": False,
        "hovertemplate": f"%{{customdata}}: {hover}<extra></extra>",
    }  # fmt: skip
    if bar:
        cells["colorbar"] = {"title": {"text": bar, "side": "right"}, "thickness": 10, "len": 0.9,
                             "outlinewidth": 0}  # fmt: skip
    if text is not None:
        cells |= {"text": [list(row) for row in text], "texttemplate": "%{text}",
                  "textfont": {"size": 11}}  # fmt: skip
    return cells


def _hatching(cells: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Strokes that fill a cell: heat maps know no pattern."""
    shifts = (-0.36, -0.18, 0.0, 0.18, 0.36)
    return {
        "type": "scatter", "mode": "markers", "showlegend": False, "hoverinfo": "skip",
        "x": [column + shift for _, column in cells for shift in shifts],
        "y": [row for row, _ in cells for _ in shifts],
        "marker": {"symbol": "line-ne-open", "size": 12, "color": "@zero",
                   "line": {"width": 1, "color": "@zero"}},
    }  # fmt: skip


def _axis(names: Sequence[str], upright: bool) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(names))), "ticktext": list(names), "showgrid": False,
        "zeroline": False, "tickangle": 0 if upright else -45, "automargin": True,
        "range": [-0.5, len(names) - 0.5],
    }  # fmt: skip


def _rows(rows: Sequence[object]) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(rows))), "ticktext": [label(row) for row in rows],
        "automargin": True, "showgrid": False, "zeroline": False, "ticklabelstandoff": 6,
    }  # fmt: skip


def _largest(z: Any) -> float:
    finite = np.abs(z[np.isfinite(z)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0
