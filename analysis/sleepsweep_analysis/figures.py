"""The report's figures as plain plotly dictionaries, each with its finding, n and estimand.

A figure holds data and layout without colours of text or grid: the page adds those for a light or
a dark screen. `narrow` is a patch of the layout for a phone. Names come from the data, so they are
escaped before plotly, which reads a little HTML, sees them.
"""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sleepsweep_analysis import words
from sleepsweep_analysis.forest import BLUE, GREY, ORANGE, SKY, VERMILLION, forest, label
from sleepsweep_analysis.study import Analysis

__all__ = ["OUTCOMES", "Figure", "figures"]

OUTCOMES = {
    "stop": ("stopped early", GREY), "done": ("finished", BLUE), "collapsed": ("collapsed", ORANGE),
    "failed": ("failed", VERMILLION), "continue": ("unfinished", SKY),
}  # fmt: skip
KINDS = ("design", "anchor", "search", "confirmation")
ESTIMATOR = "hierarchical model, all rungs"


@dataclass(frozen=True)
class Figure:
    """One figure: its id and title, plotly `data` and `layout`, and what it shows in words."""

    id: str
    title: str
    finding: str
    n: str
    estimand: str
    estimator: str
    csv: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    narrow: dict[str, Any] = field(default_factory=dict)


def figures(analysis: Analysis) -> dict[str, Figure]:
    """Every figure of the report, by id."""
    drawn = (
        what_was_run(analysis), category_forest(analysis), augmentation_forest(analysis),
        size_curve(analysis), rung_curves(analysis),
    )  # fmt: skip
    return {figure.id: figure for figure in drawn}


def category_forest(analysis: Analysis) -> Figure:
    """Forest of the categories."""
    frame = analysis.categories
    labels = [label(name) for name in frame["category"]]
    data, layout, narrow = forest(frame, labels)
    return Figure(
        id="categories",
        title="Effect of adding a member of a category",
        finding=words.family_finding(frame, "category"),
        n=_n(analysis),
        estimand="mean over the category's members of the change of macro-F1 when one is added",
        estimator=ESTIMATOR,
        csv="categories.csv",
        data=data,
        layout=layout,
        narrow=narrow,
    )


def augmentation_forest(analysis: Analysis) -> Figure:
    """Forest of the augmentations."""
    frame = analysis.effects
    data, layout, narrow = forest(frame, [label(name) for name in frame["augmentation"]])
    return Figure(
        id="augmentations",
        title="Effect of adding one augmentation",
        finding=words.family_finding(frame, "augmentation"),
        n=_n(analysis),
        estimand="mean change of macro-F1 when it is added to a random set "
        f"(size uniform 1–{analysis.chosen.largest}, subset uniform)",
        estimator=ESTIMATOR,
        csv="augmentations.csv",
        data=data,
        layout=layout,
        narrow=narrow,
    )


def size_curve(analysis: Analysis) -> Figure:
    """The size curve m(k), with the number of trials of each size under it."""
    frame = analysis.size_curve
    first, sizes = int(frame["reference"].iloc[0]), frame["size"].tolist()
    band = {
        "type": "scatter", "mode": "lines", "x": sizes + sizes[::-1], "fill": "toself",
        "y": frame["high"].tolist() + frame["low"].tolist()[::-1], "line": {"width": 0},
        "fillcolor": "rgba(0,114,178,0.18)", "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    line = {
        "type": "scatter", "mode": "lines+markers", "x": sizes, "y": frame["difference"].tolist(),
        "line": {"color": BLUE, "width": 2.5}, "marker": {"size": 9, "color": BLUE},
        "customdata": frame[["low", "high"]].to_numpy().tolist(), "showlegend": False,
        "hovertemplate": "size %{x}: %{y:+.2f} (%{customdata[0]:+.2f} to %{customdata[1]:+.2f})"
        "<extra></extra>",
    }  # fmt: skip
    bars = {
        "type": "bar", "x": sizes, "y": frame["trials"].tolist(), "yaxis": "y2",
        "marker": {"color": GREY}, "text": frame["trials"].tolist(), "textposition": "outside",
        "cliponaxis": False, "showlegend": False,
        "hovertemplate": "size %{x}: %{y} trials<extra></extra>",
    }  # fmt: skip
    layout = {
        "height": 460, "margin": {"l": 60, "r": 20, "t": 16, "b": 50}, "bargap": 0.45,
        "xaxis": {"title": {"text": "augmentations in the set"}, "dtick": 1, "anchor": "y2",
                  "zeroline": False},
        "yaxis": {"title": {"text": f"points against size {first}"}, "domain": [0.4, 1.0],
                  "zeroline": True},
        "yaxis2": {"title": {"text": "trials"}, "domain": [0.0, 0.24], "nticks": 3,
                   "rangemode": "tozero"},
    }  # fmt: skip
    return Figure(
        id="sizes",
        title="Mean score by number of augmentations",
        finding=words.size_finding(analysis),
        n=_n(analysis),
        estimand=f"m(k) − m({first}): difference of the means over uniform sets of k and {first}",
        estimator=ESTIMATOR,
        csv="sizes.csv",
        data=[band, line, bars],
        layout=layout,
    )


def rung_curves(analysis: Analysis) -> Figure:
    """Score of every trial at every rung."""
    rows = analysis.chosen.rows
    ends = analysis.trials.set_index("trial")["decision"]
    data = []
    for outcome, (word, colour) in OUTCOMES.items():
        mine = rows[rows["trial"].map(ends) == outcome]
        if len(mine):
            data.append(_curves(mine, word, colour))
    steps = sorted(int(step) for step in rows["step"].unique())
    layout = {
        "height": 420, "margin": {"l": 60, "r": 20, "t": 16, "b": 50},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": {"title": {"text": "optimiser steps"}, "type": "log", "tickvals": steps,
                  "ticktext": [f"{step:,}" for step in steps]},
        "yaxis": {"title": {"text": "macro-F1 (points)"}},
    }  # fmt: skip
    return Figure(
        id="rungs",
        title="Every trial at every rung",
        finding=words.rungs_finding(analysis),
        n=f"{len(rows)} scores of {words.plural(analysis.chosen.n_trials, 'trial')}",
        estimand="macro-F1 as recorded (not adjusted for the block)",
        estimator="none: the recorded scores",
        csv="rungs.csv",
        data=data,
        layout=layout,
    )


def what_was_run(analysis: Analysis) -> Figure:
    """Trials by kind and by how they ended."""
    trials = analysis.trials
    kinds = [kind for kind in KINDS if (trials["kind"] == kind).any()]
    data = []
    for outcome, (word, colour) in OUTCOMES.items():
        counts = [
            int(((trials["kind"] == k) & (trials["decision"] == outcome)).sum()) for k in kinds
        ]
        if any(counts):
            data.append({
                "type": "bar", "orientation": "h", "name": word, "y": kinds, "x": counts,
                "marker": {"color": colour}, "text": [n or "" for n in counts],
                "textposition": "inside", "insidetextanchor": "middle", "textangle": 0,
                "hovertemplate": f"%{{y}}, {word}: %{{x}}<extra></extra>",
            })  # fmt: skip
    layout = {
        "height": 120 + 48 * len(kinds), "barmode": "stack", "bargap": 0.35,
        "margin": {"l": 20, "r": 20, "t": 16, "b": 50},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0,
                   "traceorder": "normal"},
        "xaxis": {"title": {"text": "trials"}},
        "yaxis": {"autorange": "reversed", "automargin": True, "showgrid": False},
    }  # fmt: skip
    return Figure(
        id="run",
        title="What was run, and how it ended",
        finding=words.run_finding(analysis),
        n=words.plural(len(trials), "trial"),
        estimand="number of trials",
        estimator="count",
        csv="trials.csv",
        data=data,
        layout=layout,
    )


def _curves(rows: pd.DataFrame, word: str, colour: str) -> dict[str, Any]:
    """All curves of one outcome in one trace: a gap (None) between trials."""
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str | None] = []
    for trial, mine in rows.groupby("trial", sort=False):
        x += [*mine["step"].astype(float).tolist(), None]
        y += [*mine["points"].tolist(), None]
        text += [*[label(f"{trial}: {policy}", 70) for policy in mine["policy"]], None]
    return {
        "type": "scatter", "mode": "lines+markers", "name": word, "x": x, "y": y, "text": text,
        "line": {"color": colour, "width": 1.2}, "marker": {"size": 5}, "opacity": 0.7,
        "connectgaps": False, "hovertemplate": "%{text}<br>%{y:.1f}<extra></extra>",
    }  # fmt: skip


def _n(analysis: Analysis) -> str:
    scores, trials = len(analysis.chosen.rows), analysis.chosen.n_trials
    return f"{scores} scores of {words.plural(trials, 'trial')}"
