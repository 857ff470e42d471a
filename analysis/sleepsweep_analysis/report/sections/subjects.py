"""11 · Subjects: for how many people, and for people in general, the top policy is better."""

import numpy as np
import pandas as pd

from sleepsweep_analysis.figures.figure import Figure, Panel, margins
from sleepsweep_analysis.figures.palette import BLUE, VERMILLION, label
from sleepsweep_analysis.report.columns import count, number, signed, text
from sleepsweep_analysis.report.section import Block, Section, Table, Text
from sleepsweep_analysis.report.sections.common import refusals
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words import subjects as words
from sleepsweep_analysis.words.numbers import plural, shortened

__all__ = ["build"]


def build(analysis: Analysis) -> Section:
    """The subjects of `analysis`."""
    blocks: list[Block] = list(refusals(analysis, "gain"))
    if analysis.subjects.empty or analysis.contrast.empty:
        blocks.append(Text(words.subjects_finding(analysis.contrast, analysis.subjects)))
    else:
        blocks += [_paired(analysis), _table(analysis)]
    return Section("subjects", "Subjects", tuple(blocks))


def _paired(analysis: Analysis) -> Figure:
    frame = analysis.subjects.sort_values("difference", ascending=False, ignore_index=True)
    contrast = analysis.contrast.iloc[0]
    return Figure(
        id="subjects",
        title="Difference by subject: highest policy minus the policy without augmentation",
        finding=words.subjects_finding(analysis.contrast, frame),
        n=f"{plural(len(frame), 'subject')} of block {contrast['block']}; trial "
        f"{contrast['best_trial']} against trial {contrast['baseline_trial']}",
        estimand="line and band: difference of the pooled macro-F1; dots: of each subject's own",
        estimator="delete-one-subject jackknife, t quantiles (both nights of a subject together)",
        table="subjects",
        frame=frame,
        panels=(_dots(frame, contrast),),
        note=f"Policy: {shortened(contrast['best_policy'], 200)}. Pooled macro-F1 and the mean of "
        "the subjects' own can differ by some points: few people have much of a rare stage. One "
        "block and one run each: chance of training is not in this interval.",
    )


def _dots(frame: pd.DataFrame, contrast: pd.Series) -> Panel:
    up = frame["difference"] > 0
    colours = [BLUE if higher else VERMILLION for higher in up]
    data = [{
        "type": "scatter", "mode": "markers", "showlegend": False,
        "x": list(range(1, len(frame) + 1)), "y": frame["difference"].tolist(),
        "text": [label(name) for name in frame["subject"]],
        "marker": {"color": colours, "size": 9,
                   "symbol": ["circle" if higher else "diamond" for higher in up]},
        "hovertemplate": "%{text}: %{y:+.1f}<extra></extra>",
    }]  # fmt: skip
    middle = float(contrast["difference"])
    shapes = [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": middle, "y1": middle,
               "line": {"color": "@text", "width": 1.5, "dash": "dash"}}]  # fmt: skip
    if np.isfinite([contrast["low"], contrast["high"]]).all():
        shapes.append({"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": contrast["low"],
                       "y1": contrast["high"], "fillcolor": "rgba(138,143,152,0.22)",
                       "line": {"width": 0}, "layer": "below"})  # fmt: skip
    layout = {
        "height": 320, "margin": margins(60, 16), "shapes": shapes,
        "xaxis": {"title": {"text": "subjects, by difference"}, "zeroline": False,
                  "range": [0.3, len(frame) + 0.7], "tickformat": "d", "nticks": 10},
        "yaxis": {"title": {"text": "points of macro-F1"}, "zeroline": True},
    }  # fmt: skip
    return Panel(data, layout)


def _table(analysis: Analysis) -> Table:
    return Table(
        name="subjects",
        title="Subjects",
        frame=analysis.subjects,
        columns=(
            text("subject", "Subject"),
            number("best", "Highest policy"),
            number("baseline", "No augmentation"),
            signed("difference", "Difference"),
            count("epochs", "Epochs"),
        ),
        folded=True,
    )
