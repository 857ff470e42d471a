"""Colours and labels of every figure: safe for colour-blind readers, on a light and a dark page.

A colour that starts with ``@`` is one of the page (``@text``, ``@soft``, ``@grid``, ``@card``): the
page's script puts in its light or its dark value, and `resolved` the light one for export.
"""

from html import escape
from typing import Any

__all__ = [
    "BLUE", "DARK", "DIVERGING", "GREEN", "GREY", "LIGHT", "ORANGE", "PINK", "SEQUENTIAL", "SKY",
    "SYMBOLS", "VERDICTS", "VERMILLION", "label", "resolved",
]  # fmt: skip

BLUE = "@blue"
VERMILLION, GREEN, GREY, SKY, ORANGE, PINK = (
    "#D55E00", "#009E73", "#8A8F98", "#56B4E9", "#E69F00", "#CC79A7",
)  # fmt: skip
"""Okabe & Ito 2008, Color Universal Design, and a grey; the blue is lighter on a dark page."""

VERDICTS = {
    "better": BLUE, "worse": VERMILLION, "practically equal": GREEN, "cannot tell": GREY,
    "higher": BLUE, "lower": VERMILLION,
}  # fmt: skip
SYMBOLS = {
    "better": "circle", "worse": "diamond", "practically equal": "square",
    "cannot tell": "circle-open", "higher": "circle", "lower": "diamond",
}  # fmt: skip

DIVERGING = [[0.0, "@neg2"], [0.25, "@neg1"], [0.5, "@mid"], [0.75, "@pos1"], [1.0, "@pos2"]]
"""Vermillion below zero, blue above: the pair that every kind of colour blindness tells apart.
Far from zero is far from the page's colour, on a light page darker, on a dark one lighter."""

SEQUENTIAL = [[0.0, "@faint"], [0.5, "@half"], [1.0, "@full"]]

LIGHT = {
    "@text": "#1f2933", "@soft": "#52606d", "@grid": "#e3e7ec", "@card": "#ffffff",
    "@zero": "#7b8794", "@blue": "#0072B2", "@band": "rgba(0,114,178,0.2)",
    "@faint": "#eef3f7", "@half": "#5FA3CD", "@full": "#004B78",
    "@neg2": "#B34E00", "@neg1": "#EBAE7C", "@mid": "#f4f4f2", "@pos1": "#7FB6DA",
    "@pos2": "#005A8E",
}  # fmt: skip
DARK = {
    "@text": "#dde3ea", "@soft": "#a3afbb", "@grid": "#2c3642", "@card": "#19202a",
    "@zero": "#8a96a3", "@blue": "#4BA6DF", "@band": "rgba(75,166,223,0.25)",
    "@faint": "#212b36", "@half": "#2F6C98", "@full": "#9CD3F7",
    "@neg2": "#FFA860", "@neg1": "#8A552B", "@mid": "#28303a", "@pos1": "#33678C",
    "@pos2": "#86CBF8",
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
