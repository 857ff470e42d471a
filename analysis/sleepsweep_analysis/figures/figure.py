"""What a figure is: plotly data in one or more panels, and what they show in words."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sleepsweep_analysis.figures.palette import GREEN, GREY, VERDICTS

__all__ = ["VERDICT_KEY", "Figure", "Key", "Panel", "legend_below", "margins"]

Plain = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """One plot: plotly `data` and `layout`; `narrow` patches the layout on a phone, and
    `narrow_data` the first traces."""

    data: list[Plain]
    layout: Plain
    narrow: Plain = field(default_factory=dict)
    title: str = ""
    note: str = ""
    narrow_data: list[Plain] = field(default_factory=list)


@dataclass(frozen=True)
class Key:
    """An entry of the key above a figure: a word, and the mark that stands for it."""

    word: str
    colour: str
    shape: str = "circle"

    @property
    def style(self) -> str:
        """The colour for the page's style sheet, where the page's own are variables."""
        return f"var(--{self.colour[1:]})" if self.colour.startswith("@") else self.colour


@dataclass(frozen=True)
class Figure:
    """A figure of the report.

    `table` names the file of its numbers, `frame`; `columns` is how many panels stand side by side
    where the page is wide enough.
    """

    id: str
    title: str
    finding: str
    n: str
    estimand: str
    estimator: str
    table: str
    frame: pd.DataFrame
    panels: tuple[Panel, ...]
    key: tuple[Key, ...] = ()
    note: str = ""
    columns: int = 1

    kind = "figure"

    @property
    def plots(self) -> dict[str, Panel]:
        """The panels by the id of their place in the page."""
        return {f"plot-{self.id}-{n}": panel for n, panel in enumerate(self.panels)}


VERDICT_KEY = (
    Key("better", VERDICTS["better"]),
    Key("worse", VERDICTS["worse"], "diamond"),
    Key("practically equal", GREEN, "square"),
    Key("cannot tell", GREY, "circle-open"),
    Key("within ±0.5 points", GREY, "band"),
)


def margins(left: int = 56, right: int = 16, top: int = 12, bottom: int = 50) -> Plain:
    """Plotly's margins in pixels."""
    return {"l": left, "r": right, "t": top, "b": bottom}


def legend_below() -> Plain:
    """A legend in one line above the plot, left, in the order of the traces."""
    return {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"}
