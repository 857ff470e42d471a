"""Colours and labels of every figure: safe for colour-blind readers, on a light and a dark page.

A colour that starts with ``@`` is one of the page (``@text``, ``@soft``, ``@grid``, ``@card``): the
page's script puts in its light or its dark value, and `resolved` the light one for export.
"""

from html import escape
from typing import Any

__all__ = [
    "BLUE", "DIVERGING", "GREEN", "GREY", "ORANGE", "PINK", "SEQUENTIAL", "SKY", "SYMBOLS",
    "VERDICTS", "VERMILLION", "label", "resolved",
]  # fmt: skip

BLUE, VERMILLION, GREEN, GREY, SKY, ORANGE, PINK = (
    "#0072B2", "#D55E00", "#009E73", "#8A8F98", "#56B4E9", "#E69F00", "#CC79A7",
)  # fmt: skip
"""Okabe & Ito 2008, Color Universal Design, and a grey."""

VERDICTS = {
    "better": BLUE, "worse": VERMILLION, "practically equal": GREEN, "cannot tell": GREY,
}  # fmt: skip
SYMBOLS = {
    "better": "circle", "worse": "diamond", "practically equal": "square",
    "cannot tell": "circle-open",
}  # fmt: skip

DIVERGING = [
    [0.0, "#B34E00"], [0.25, "#EBAE7C"], [0.5, "@mid"], [0.75, "#7FB6DA"], [1.0, "#005A8E"],
]  # fmt: skip
"""Vermillion below zero, blue above: the pair that every kind of colour blindness tells apart."""

SEQUENTIAL = [[0.0, "@faint"], [0.5, "#5FA3CD"], [1.0, "#004B78"]]

LIGHT = {
    "@text": "#1f2933", "@soft": "#52606d", "@grid": "#e3e7ec", "@card": "#ffffff",
    "@mid": "#f4f4f2", "@faint": "#eef3f7", "@zero": "#7b8794",
}  # fmt: skip
DARK = {
    "@text": "#dde3ea", "@soft": "#a3afbb", "@grid": "#2c3642", "@card": "#19202a",
    "@mid": "#2b333d", "@faint": "#222c37", "@zero": "#8a96a3",
}  # fmt: skip


def label(name: object, longest: int = 32) -> str:
    """A name from the data on one line, cut and inert: plotly reads a little HTML in every text."""
    text = " ".join(str(name).split())
    return escape(text if len(text) <= longest else text[: longest - 1] + "…")


def resolved(value: Any) -> Any:
    """`value` with the page's colours in their light version."""
    if isinstance(value, dict):
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(item) for item in value]
    return LIGHT.get(value, value) if isinstance(value, str) else value
