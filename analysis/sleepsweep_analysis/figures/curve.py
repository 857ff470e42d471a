"""Curves: a line with its 95 % band, and many thin lines in one trace."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from sleepsweep_analysis.figures.figure import Panel, margins
from sleepsweep_analysis.figures.palette import BLUE, label

__all__ = ["band", "dose", "line", "thin_lines"]


def band(x: Sequence[Any], low: Sequence[float], high: Sequence[float]) -> dict[str, Any]:
    """The area between `low` and `high`."""
    return {
        "type": "scatter", "mode": "lines", "x": [*x, *reversed(list(x))], "fill": "toself",
        "y": [*high, *reversed(list(low))], "line": {"width": 0},
        "fillcolor": "@band", "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def line(
    frame: pd.DataFrame, x: str, y: str, *, hover: str, markers: bool = True
) -> dict[str, Any]:
    """The line of `y` over `x`; hovering shows the interval of the columns low and high."""
    return {
        "type": "scatter", "mode": "lines+markers" if markers else "lines",
        "x": frame[x].tolist(), "y": frame[y].tolist(), "showlegend": False,
        "line": {"color": BLUE, "width": 2.5}, "marker": {"size": 8, "color": BLUE},
        "customdata": frame[["low", "high"]].to_numpy().tolist(),
        "hovertemplate": f"{hover}: %{{y:+.2f}} (%{{customdata[0]:+.2f}} to "
        "%{customdata[1]:+.2f})<extra></extra>",
    }  # fmt: skip


def dose(
    frame: pd.DataFrame,
    title: str,
    note: str,
    unit: str,
    ends: tuple[float, float],
    optimum: tuple[float, float] | None,
) -> Panel:
    """A small curve of effect over `value`, with the interval of the optimum shaded.

    `ends` is the range of the scale, alike in all curves that stand side by side.
    """
    shapes = [] if optimum is None else [
        {"type": "rect", "xref": "x", "yref": "paper", "x0": optimum[0], "x1": optimum[1],
         "y0": 0, "y1": 1, "fillcolor": "rgba(230,159,0,0.22)", "line": {"width": 0},
         "layer": "below"}
    ]  # fmt: skip
    layout = {
        "height": 190, "margin": margins(40, 8, 6, 40), "shapes": shapes,
        "xaxis": {"title": {"text": label(unit, 24)}, "zeroline": False, "nticks": 5},
        "yaxis": {"zeroline": True, "nticks": 5, "range": list(ends)},
    }  # fmt: skip
    data = [
        band(frame["value"].tolist(), frame["low"].tolist(), frame["high"].tolist()),
        line(frame, "value", "effect", hover="%{x:.3g}", markers=False),
    ]
    return Panel(data, layout, title=title, note=note)


def thin_lines(rows: pd.DataFrame, word: str, colour: str) -> dict[str, Any]:
    """The scores (points over step) of many trials in one trace: a gap (None) between trials."""
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str | None] = []
    for trial, mine in rows.groupby("trial", sort=False):
        x += [*mine["step"].astype(float).tolist(), None]
        y += [*mine["points"].tolist(), None]
        text += [*[label(f"{trial}: {policy}", 60) for policy in mine["policy"]], None]
    return {
        "type": "scatter", "mode": "lines+markers", "name": word, "x": x, "y": y, "text": text,
        "line": {"color": colour, "width": 1.2}, "marker": {"size": 4}, "opacity": 0.7,
        "connectgaps": False, "hovertemplate": "%{text}<br>%{y:.1f}<extra></extra>",
    }  # fmt: skip
