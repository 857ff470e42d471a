"""10 · Fidelity: what early scores say about late ones."""

from typing import Any

import numpy as np
import pandas as pd

from sleepsweep_analysis.figures.curve import thin_lines
from sleepsweep_analysis.figures.figure import Figure, Panel, legend_below, margins
from sleepsweep_analysis.figures.palette import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    SKY,
    VERMILLION,
    label,
)
from sleepsweep_analysis.report.columns import count, number, share
from sleepsweep_analysis.report.section import Block, Section, Table, Text
from sleepsweep_analysis.report.sections.categorycurves import category_curves
from sleepsweep_analysis.report.sections.common import refusals
from sleepsweep_analysis.report.sections.run import COLOURS
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words import fidelity as words
from sleepsweep_analysis.words.numbers import plural
from sleepsweep_analysis.words.run import OUTCOMES

__all__ = ["build"]

MOST = 200
"""Trials whose curves are drawn; of more, evenly spaced ones of the launch order."""

LINES = (BLUE, ORANGE, GREEN, PINK, VERMILLION, SKY, GREY)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def build(analysis: Analysis) -> Section:
    """The fidelity of early rungs of `analysis`."""
    blocks: list[Block] = list(refusals(analysis, "raw"))
    blocks.append(Text(words.fidelity_finding(analysis.fidelity)))
    if len(analysis.fidelity):
        blocks.append(_table(analysis))
    curves = category_curves(analysis)
    if "raw" not in analysis.refused and len(curves):
        blocks.append(_categories(analysis, curves))
    if analysis.chosen.rows["rung"].nunique() > 1:
        blocks.append(_trials(analysis))
    return Section("fidelity", "Fidelity of early scores", tuple(blocks))


def _table(analysis: Analysis) -> Table:
    return Table(
        name="fidelity",
        title="Each rung against the last",
        frame=analysis.fidelity,
        columns=(
            count("rung", "Rung"),
            count("step", "Steps"),
            count("trials", "Trials that reached both"),
            number("rho", "Rank correlation", 2),
            number("rho_low", "95 % low", 2),
            number("rho_high", "95 % high", 2),
            share("flips", "Effects of the other sign"),
        ),
        note=f"{words.flips_finding(analysis.fidelity)} Correlations are within blocks: without "
        "that they would be those of the subject splits.",
    )


def _categories(analysis: Analysis, curves: pd.DataFrame) -> Figure:
    data = []
    for n, (name, mine) in enumerate(curves.groupby("category", sort=False)):
        colour = LINES[n % len(LINES)]
        data.append({
            "type": "scatter", "mode": "lines+markers", "name": label(name, 20),
            "x": mine["step"].tolist(), "y": mine["difference"].tolist(),
            "line": {"color": colour, "width": 2.5, "dash": DASHES[n % len(DASHES)]},
            "marker": {"size": 7},
            "error_y": {"type": "data", "array": (mine["high"] - mine["difference"]).tolist(),
                        "color": colour, "thickness": 1, "width": 0},
            "hovertemplate": "%{y:+.2f}<extra>%{fullData.name}</extra>",
        })  # fmt: skip
    return Figure(
        id="category-rungs",
        title="Rung by rung: trials with a category against the others of their block",
        finding=words.rungs_finding(curves),
        n=f"{plural(int(curves['of'].max()), 'trial')} that reached the last rung",
        estimand="mean score of the trials with a member of the category minus the mean of their "
        "block at that rung (bars: 95 %)",
        estimator="plain means, only of trials that reached the last rung: a description, not an "
        "effect",
        table="category_rungs",
        frame=curves,
        panels=(_steps(data, curves["step"], "points against the block's mean"),),
    )


def _trials(analysis: Analysis) -> Figure:
    rows = analysis.chosen.rows
    shown, note = _thinned(rows)
    ends = analysis.trials.set_index("trial")["decision"]
    fate = shown["trial"].map(ends)
    data = [
        thin_lines(shown[fate == key], word, COLOURS[key])
        for key, word in OUTCOMES.items() if (fate == key).any()
    ]  # fmt: skip
    table = rows[["trial", "kind", "block", "rung", "step", "decision", "points", "policy"]]
    return Figure(
        id="rungs",
        title="Every trial at every rung",
        finding="Lines that cross show trials whose early and late ranks differ; blocks lie at "
        "different heights.",
        n=f"{plural(len(rows), 'score')} of {plural(analysis.chosen.n_trials, 'trial')}",
        estimand="macro-F1 as recorded (not adjusted for the block)",
        estimator="none: the recorded scores",
        table="rungs",
        frame=table,
        panels=(_steps(data, rows["step"], "macro-F1 (points)"),),
        note=note,
    )


def _steps(data: list[dict[str, Any]], steps: pd.Series, title: str) -> Panel:
    ticks = sorted(int(step) for step in steps.unique())
    kind = "log" if ticks and min(ticks) > 0 else "linear"
    layout = {
        "height": 420, "margin": margins(60, 16, 16, 50), "legend": legend_below(),
        "xaxis": {"title": {"text": "optimiser steps"}, "type": kind, "tickvals": ticks[-8:],
                  "ticktext": [f"{step:,}" for step in ticks[-8:]], "tickangle": 0},
        "yaxis": {"title": {"text": title}},
    }  # fmt: skip
    return Panel(data, layout)


def _thinned(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    trials = rows["trial"].unique()
    if len(trials) <= MOST:
        return rows, ""
    kept = trials[np.linspace(0, len(trials) - 1, MOST).round().astype(int)]
    note = f"Drawn are {MOST} of {len(trials):,} trials, evenly spaced in launch order."
    return rows[rows["trial"].isin(set(kept))], note
