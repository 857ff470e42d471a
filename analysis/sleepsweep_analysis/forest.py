"""The forest plot: one row an effect, its 95 % interval, and its verdict as colour and symbol.

A figure is plain plotly data without colours of text or grid: the page adds those for a light or a
dark screen.
"""

from collections.abc import Iterable
from html import escape
from typing import Any

import pandas as pd

from sleepsweep_analysis import words
from sleepsweep_analysis.ranking import EQUAL

__all__ = ["BLUE", "COLOURS", "GREY", "ORANGE", "SKY", "VERMILLION", "forest", "label"]

BLUE, VERMILLION, GREEN, GREY, SKY, ORANGE = (
    "#0072B2", "#D55E00", "#009E73", "#8A8F98", "#56B4E9", "#E69F00",
)  # fmt: skip
"""Colours that colour-blind readers can tell apart (Okabe & Ito 2008), and a grey."""

COLOURS = {"better": BLUE, "worse": VERMILLION, "practically equal": GREEN, "cannot tell": GREY}
SYMBOLS = {"better": "circle", "worse": "diamond", "practically equal": "square",
           "cannot tell": "circle-open"}  # fmt: skip


def label(name: object, longest: int = 32) -> str:
    """A name from the data, cut and made inert: plotly reads a little HTML in every text."""
    text = str(name)
    return escape(text if len(text) <= longest else text[: longest - 1] + "…")


def forest(
    frame: pd.DataFrame, labels: list[str]
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """Data, layout and the layout's patch for a phone (names above the rows) of one forest."""
    places = list(range(len(frame)))
    values = [
        f"{words.signed(e)} ({words.signed(low)} to {words.signed(high)})"
        for e, low, high in zip(frame["effect"], frame["low"], frame["high"], strict=True)
    ]
    layout = {
        "height": 90 + 34 * len(frame), "margin": {"l": 20, "r": 150, "t": 12, "b": 50},
        "xaxis": {"title": {"text": "change of macro-F1 (points)"}, "zeroline": True},
        "yaxis": {"tickvals": places, "ticktext": labels, "range": [len(frame) - 0.4, -0.6],
                  "automargin": True, "showgrid": False, "zeroline": False, "ticklabelstandoff": 8},
        "shapes": [{"type": "rect", "xref": "x", "yref": "paper", "x0": -EQUAL, "x1": EQUAL,
                    "y0": 0, "y1": 1, "fillcolor": "rgba(138,143,152,0.16)", "line": {"width": 0},
                    "layer": "below"}],
        "annotations": [_note(v, 1.02, "left", y, 0) for y, v in zip(places, values, strict=True)],
    }  # fmt: skip
    above = [_note(f"<b>{t}</b>", 0.0, "left", y, 15) for y, t in zip(places, labels, strict=True)]
    right = [_note(v, 1.0, "right", y, 15) for y, v in zip(places, values, strict=True)]
    narrow = {
        "height": 100 + 56 * len(frame), "margin": {"l": 8, "r": 8, "t": 12, "b": 50},
        "yaxis": {"showticklabels": False, "range": [len(frame) - 0.5, -0.8], "showgrid": False,
                  "zeroline": False},
        "annotations": above + right,
    }  # fmt: skip
    return list(_points(frame, labels)), layout, narrow


def _points(frame: pd.DataFrame, labels: list[str]) -> Iterable[dict[str, Any]]:
    """One trace a verdict, so that colour and symbol both carry it."""
    for verdict, colour in COLOURS.items():
        mine = [i for i, found in enumerate(frame["verdict"]) if found == verdict]
        if mine:
            part = frame.iloc[mine]
            yield {
                "type": "scatter", "mode": "markers", "name": verdict, "showlegend": False,
                "x": part["effect"].tolist(), "y": mine, "text": [labels[i] for i in mine],
                "marker": {"color": colour, "size": 11, "symbol": SYMBOLS[verdict],
                           "line": {"color": colour, "width": 2}},
                "error_x": {"type": "data", "symmetric": False, "color": colour, "thickness": 2.5,
                            "width": 0, "array": (part["high"] - part["effect"]).tolist(),
                            "arrayminus": (part["effect"] - part["low"]).tolist()},
                "hovertemplate": f"%{{text}}: %{{x:+.2f}}, {verdict}<extra></extra>",
            }  # fmt: skip


def _note(text: str, x: float, anchor: str, y: int, shift: int) -> dict[str, Any]:
    return {"xref": "paper", "x": x, "xanchor": anchor, "y": y, "yshift": shift, "text": text,
            "showarrow": False, "font": {"size": 12}}  # fmt: skip
