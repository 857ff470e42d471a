"""Horizontal bars: one value a row, or several that add up."""

from collections.abc import Mapping, Sequence
from typing import Any

from sleepsweep_analysis.figures.figure import Panel, legend_below, margins
from sleepsweep_analysis.figures.palette import BLUE, label

__all__ = ["bars", "stacked"]

ROW = 38
SHORT = 20


def bars(
    names: Sequence[object],
    values: Sequence[float],
    texts: Sequence[str],
    axis: str,
    top: float | None = None,
) -> Panel:
    """One bar a name, with its value as text at its end."""
    ends: dict[str, Any] = {"rangemode": "tozero"} if top is None else {"range": [0, top]}
    scale = {"title": {"text": axis}, **ends}
    data = [{
        "type": "bar", "orientation": "h", "x": list(values), "y": list(range(len(names))),
        "text": list(texts), "textposition": "outside", "cliponaxis": False,
        "marker": {"color": BLUE}, "showlegend": False, "hoverinfo": "skip", "width": 0.55,
    }]  # fmt: skip
    return Panel(data, _layout(names, scale), _narrow(names))


def stacked(
    names: Sequence[object],
    parts: Mapping[str, tuple[str, Sequence[float]]],
    axis: str,
    narrow_names: Sequence[object] | None = None,
) -> Panel:
    """Bars of parts: `parts` maps a word to its colour and its values, one a name."""
    data = [
        {
            "type": "bar", "orientation": "h", "name": word, "y": list(range(len(names))),
            "x": list(values), "marker": {"color": colour}, "text": [n or "" for n in values],
            "textposition": "inside", "insidetextanchor": "middle", "textangle": 0, "width": 0.6,
            "constraintext": "none",
            "hovertemplate": f"{word}: %{{x}}<extra></extra>",
        }
        for word, (colour, values) in parts.items() if any(values)
    ]  # fmt: skip
    layout = {
        **_layout(names, {"title": {"text": axis}, "rangemode": "tozero"}),
        "barmode": "stack", "legend": legend_below(), "uniformtext": {"minsize": 9, "mode": "hide"},
    }  # fmt: skip
    layout["height"] += 30
    return Panel(data, layout, _narrow(narrow_names or names))


def _layout(names: Sequence[object], scale: dict[str, Any]) -> dict[str, Any]:
    return {
        "height": 74 + ROW * len(names), "margin": margins(20, 44), "xaxis": scale,
        "yaxis": _rows(names, 34),
    }  # fmt: skip


def _narrow(names: Sequence[object]) -> dict[str, Any]:
    return {"margin": margins(8, 36), "yaxis": _rows(names, SHORT)}


def _rows(names: Sequence[object], longest: int) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(names))), "ticktext": [label(name, longest) for name in names],
        "range": [len(names) - 0.5, -0.5], "automargin": True, "showgrid": False,
        "zeroline": False, "ticklabelstandoff": 6,
    }  # fmt: skip
