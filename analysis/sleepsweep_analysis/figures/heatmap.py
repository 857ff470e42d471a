"""Heat maps: a value a cell, a number in it where it fits, hatching where nothing was observed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sleepsweep_analysis.figures.figure import Panel, margins
from sleepsweep_analysis.figures.palette import DIVERGING, SEQUENTIAL, label

__all__ = ["heatmap", "numbered"]

ROW = 27
SHORT = 17
"""Letters of a row's name on a phone."""


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
    height = 60 + row_height * len(z) + (20 if upright else 90)
    layout = {
        "height": height, "margin": margins(20, 12, 12, 50 if upright else 20), "xaxis": axis,
        "yaxis": {**_rows(rows, 32), "range": [len(z) - 0.5, -0.5]},
    }  # fmt: skip
    short = [label(name, SHORT) for name in (narrow_columns or columns)]
    narrow = {
        "xaxis": {**axis, **_axis(short, max(map(len, short), default=0) <= 4)},
        "yaxis": {**_rows(rows, SHORT), "range": [len(z) - 0.5, -0.5]},
        "margin": margins(8, 8, 12, 50),
    }
    return Panel(data, layout, narrow)


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
    """Three strokes a cell: heat maps know no pattern."""
    shifts = (-0.27, 0.0, 0.27)
    return {
        "type": "scatter", "mode": "markers", "showlegend": False, "hoverinfo": "skip",
        "x": [column + shift for _, column in cells for shift in shifts],
        "y": [row for row, _ in cells for _ in shifts],
        "marker": {"symbol": "line-ne-open", "size": 11, "color": "@zero",
                   "line": {"width": 1, "color": "@zero"}},
    }  # fmt: skip


def _axis(names: Sequence[str], upright: bool) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(names))), "ticktext": list(names), "showgrid": False,
        "zeroline": False, "tickangle": 0 if upright else -45, "automargin": True,
        "range": [-0.5, len(names) - 0.5],
    }  # fmt: skip


def _rows(rows: Sequence[object], longest: int) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(rows))), "ticktext": [label(row, longest) for row in rows],
        "automargin": True, "showgrid": False, "zeroline": False, "ticklabelstandoff": 6,
    }  # fmt: skip


def _largest(z: Any) -> float:
    finite = np.abs(z[np.isfinite(z)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0
