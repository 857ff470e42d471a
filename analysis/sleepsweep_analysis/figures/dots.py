"""Dots with their intervals, one row a name; several series stand under each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sleepsweep_analysis.figures.figure import Panel, margins
from sleepsweep_analysis.figures.palette import label

__all__ = ["Series", "dots"]


@dataclass(frozen=True)
class Series:
    """Values with their intervals, one a row, and how they are marked."""

    word: str
    values: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    colour: str
    symbol: str = "circle"


def dots(
    names: Sequence[object],
    series: Sequence[Series],
    axis: str,
    *,
    row_height: int = 30,
    zero: bool = False,
    above: bool = False,
) -> Panel:
    """One row a name; on a phone, or where `above` is given, names stand above their rows."""
    count, height = len(names), row_height + 12 * (len(series) - 1)
    shifts = [(n - (len(series) - 1) / 2) * 13 / height for n in range(len(series))]
    data = [_trace(one, names, shift) for one, shift in zip(series, shifts, strict=True)]
    rows = list(range(count))
    layout = {
        "height": 70 + height * count, "margin": margins(20, 20),
        "xaxis": {"title": {"text": axis}, "zeroline": zero},
        "yaxis": {"tickvals": rows, "ticktext": [label(name, 44) for name in names],
                  "range": [count - 0.4, -0.6], "automargin": True, "showgrid": True,
                  "zeroline": False, "ticklabelstandoff": 8},
    }  # fmt: skip
    narrow = {
        "height": 80 + (height + 20) * count, "margin": margins(8, 12),
        "annotations": _titles(names, 46, 9 + 7 * len(series)),
        "yaxis": {"showticklabels": False, "range": [count - 0.5, -0.8], "showgrid": False,
                  "zeroline": False},
    }  # fmt: skip
    if above:
        wide = {**narrow, "annotations": _titles(names, 110, 9 + 7 * len(series))}
        return Panel(data, {**layout, **wide}, narrow)
    return Panel(data, layout, narrow)


def _titles(names: Sequence[object], longest: int, shift: int) -> list[dict[str, Any]]:
    return [
        {"xref": "paper", "x": 0, "xanchor": "left", "y": n, "yshift": shift,
         "text": label(name, longest), "showarrow": False, "font": {"size": 11.5}}
        for n, name in enumerate(names)
    ]  # fmt: skip


def _trace(one: Series, names: Sequence[object], shift: float) -> dict[str, Any]:
    above = [h - v for h, v in zip(one.high, one.values, strict=True)]
    below = [v - low for v, low in zip(one.values, one.low, strict=True)]
    return {
        "type": "scatter", "mode": "markers", "name": one.word, "showlegend": False,
        "x": list(one.values), "y": [n + shift for n in range(len(names))],
        "text": [label(name, 60) for name in names],
        "marker": {"color": one.colour, "size": 9, "symbol": one.symbol,
                   "line": {"color": one.colour, "width": 1.5}},
        "error_x": {"type": "data", "symmetric": False, "array": above, "arrayminus": below,
                    "color": one.colour, "thickness": 2, "width": 0},
        "hovertemplate": f"%{{text}}: %{{x:.2f}} ({one.word})<extra></extra>",
    }  # fmt: skip
