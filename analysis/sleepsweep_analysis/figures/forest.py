"""The forest plot: one row an effect, its 95 % interval, and its verdict as colour and symbol.

Other estimates of the same effects stand under each row as hollow marks.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from sleepsweep_analysis.estimates.ranking import EQUAL
from sleepsweep_analysis.figures.figure import Key, Panel, margins
from sleepsweep_analysis.figures.palette import GREY, ORANGE, SYMBOLS, VERDICTS, label
from sleepsweep_analysis.words.numbers import estimate

__all__ = ["MARKS", "cross_key", "forest"]

ROW, CROSS = 34, 10
"""Height of a row, and of each further estimate under it, in pixels."""

FARTHEST = 0.5

MARKS = ("triangle-up-open", "square-open", "diamond-open", "hexagon-open", "star-open")


def forest(
    frame: pd.DataFrame,
    names: Sequence[object],
    crosses: pd.DataFrame | None = None,
    *,
    axis: str = "change of macro-F1 (points)",
    equal: float | None = EQUAL,
) -> Panel:
    """A forest of `frame` (effect, low, high, verdict), rows called `names`.

    `crosses` holds other estimates: name, method, effect, low, high, apart.
    """
    labels = [label(name) for name in names]
    methods = [] if crosses is None else list(dict.fromkeys(crosses["method"]))
    places, height = list(range(len(frame))), ROW + CROSS * len(methods)
    values = [estimate(*row) for row in frame[["effect", "low", "high"]].itertuples(index=False)]
    layout: dict[str, Any] = {
        "height": 84 + height * len(frame), "margin": margins(20, 158),
        "xaxis": {"title": {"text": axis}, "zeroline": True},
        "yaxis": {"tickvals": places, "ticktext": labels, "range": [len(frame) - 0.35, -0.55],
                  "automargin": True, "showgrid": False, "zeroline": False, "ticklabelstandoff": 8},
        "shapes": [] if equal is None else [_band(equal)],
        "annotations": [_note(v, 1.02, "left", y, 0) for y, v in zip(places, values, strict=True)],
    }  # fmt: skip
    above = [_note(f"<b>{label(name, 23)}</b>", 0.0, "left", y, 16) for y, name in enumerate(names)]
    right = [_note(v, 1.0, "right", y, 16) for y, v in zip(places, values, strict=True)]
    narrow = {
        "height": 96 + (height + 24) * len(frame), "margin": margins(8, 8),
        "yaxis": {"showticklabels": False, "range": [len(frame) - 0.45, -0.75], "showgrid": False,
                  "zeroline": False},
        "annotations": above + right,
    }  # fmt: skip
    data = list(_points(frame, labels))
    if crosses is not None:
        layout["xaxis"]["range"] = _reach(frame, crosses)
        rows = {str(name): n for n, name in enumerate(names)}
        data += [_cross(crosses, method, n, rows, height) for n, method in enumerate(methods)]
    return Panel(data, layout, narrow)


def _reach(frame: pd.DataFrame, crosses: pd.DataFrame) -> list[float]:
    """An axis for the effects themselves: other estimates reach it up to `FARTHEST` times as far.

    A cross-check from two trials may have an interval twenty times as wide as all effects together.
    """
    low, high = min(float(frame["low"].min()), 0.0), max(float(frame["high"].max()), 0.0)
    far = FARTHEST * (high - low)
    seen = crosses["effect"].clip(low - far, high + far)
    low, high = min(low, float(seen.min())), max(high, float(seen.max()))
    return [low - 0.06 * (high - low), high + 0.06 * (high - low)]


def cross_key(methods: Sequence[str]) -> tuple[Key, ...]:
    """The key of the hollow marks, in the order in which `forest` uses them."""
    return tuple(
        Key(word, GREY, mark) for word, mark in zip(methods, MARKS[: len(methods)], strict=True)
    )


def _points(frame: pd.DataFrame, labels: Sequence[str]) -> Iterable[dict[str, Any]]:
    """One trace a verdict, so that colour and symbol both carry it."""
    for verdict, colour in VERDICTS.items():
        mine = [i for i, found in enumerate(frame["verdict"]) if found == verdict]
        if mine:
            part = frame.iloc[mine]
            yield {
                "type": "scatter", "mode": "markers", "name": verdict, "showlegend": False,
                "x": part["effect"].tolist(), "y": mine, "text": [labels[i] for i in mine],
                "marker": {"color": colour, "size": 11, "symbol": SYMBOLS[verdict],
                           "line": {"color": colour, "width": 2}},
                "error_x": _bars(part, colour, 2.5),
                "hovertemplate": f"%{{text}}: %{{x:+.2f}}, {verdict}<extra></extra>",
            }  # fmt: skip


def _cross(
    crosses: pd.DataFrame, method: str, n: int, rows: dict[str, int], height: int
) -> dict[str, Any]:
    part = crosses[(crosses["method"] == method) & crosses["name"].astype(str).isin(list(rows))]
    shift = (13 + CROSS * n) / height
    colours = [ORANGE if apart else "@soft" for apart in part["apart"]]
    return {
        "type": "scatter", "mode": "markers", "showlegend": False, "name": label(method),
        "x": part["effect"].tolist(), "y": [rows[str(name)] + shift for name in part["name"]],
        "marker": {"size": 7, "symbol": MARKS[n % len(MARKS)], "color": colours,
                   "line": {"width": 1.5, "color": colours}},
        "error_x": _bars(part, "@soft", 1),
        "hovertemplate": f"{label(method)}: %{{x:+.2f}}<extra></extra>",
    }  # fmt: skip


def _bars(part: pd.DataFrame, colour: str, thickness: float) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False, "color": colour, "thickness": thickness, "width": 0,
        "array": (part["high"] - part["effect"]).tolist(),
        "arrayminus": (part["effect"] - part["low"]).tolist(),
    }  # fmt: skip


def _band(equal: float) -> dict[str, Any]:
    return {"type": "rect", "xref": "x", "yref": "paper", "x0": -equal, "x1": equal, "y0": 0,
            "y1": 1, "fillcolor": "rgba(138,143,152,0.16)", "line": {"width": 0},
            "layer": "below"}  # fmt: skip


def _note(text: str, x: float, anchor: str, y: int, shift: int) -> dict[str, Any]:
    return {"xref": "paper", "x": x, "xanchor": anchor, "y": y, "yshift": shift, "text": text,
            "showarrow": False, "font": {"size": 11.5}}  # fmt: skip
