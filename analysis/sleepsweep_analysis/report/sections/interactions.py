"""6 · Interactions: which pairs do more or less than their sum; pairs never run are hatched."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.figures.figure import Figure, Key
from sleepsweep_analysis.figures.heatmap import heatmap, numbered
from sleepsweep_analysis.figures.palette import BLUE, GREY, VERMILLION
from sleepsweep_analysis.report.columns import count, p_value, ranged, signed, text, verdict
from sleepsweep_analysis.report.section import Block, Section, Table, Text
from sleepsweep_analysis.report.sections.common import MODEL, counted, refusals
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words import interactions as words
from sleepsweep_analysis.words.numbers import plural
from sleepsweep_analysis.words.numbers import signed as points

__all__ = ["build"]

Matrix = NDArray[np.float64]

HATCHED = Key("never ran together", GREY, "hatch")


def build(analysis: Analysis) -> Section:
    """The interactions of `analysis`; where they are refused, only which pairs ran together."""
    frame = analysis.interactions
    blocks: list[Block] = list(refusals(analysis, "interactions"))
    if frame.empty:
        blocks.append(Text("The pool has no two augmentations that could be combined."))
    elif "interactions" in analysis.refused:
        blocks.append(_seen(analysis))
    else:
        blocks += [_matrix(analysis), _table(analysis)]
    return Section("interactions", "Interactions", tuple(blocks))


def _matrix(analysis: Analysis) -> Figure:
    frame = analysis.interactions
    names, values, sure = _square(frame, "effect")
    cells = [
        ["" if np.isnan(v) else points(v) + "*" * bool(s) for v, s in zip(row, known, strict=True)]
        for row, known in zip(values, sure, strict=True)
    ]  # fmt: skip
    # Colour from half a point up: a matrix of noise must look like one.
    span = max(float(np.nanmax(np.abs(values), initial=0.0)), 1.0)
    rows, numbers = numbered(names)
    panel = heatmap(
        values, rows, rows, text=cells, hover="%{z:+.2f}", diverging=True, span=span,
        hatched=_unseen(frame, names), narrow_columns=numbers,
    )  # fmt: skip
    return Figure(
        id="interactions",
        title="What a pair does beyond its sum (points; * after Holm’s correction)",
        finding=words.interactions_finding(frame),
        n=f"{counted(analysis)}; {words.pairs_finding(frame)}",
        estimand="f(both) − f(first) − f(second) + f(none), on average over the rest of the set",
        estimator=f"{MODEL}; pairs drawn towards 0, Holm's correction over pairs",
        table="interactions",
        frame=frame,
        panels=(panel,),
        key=(Key("more than the sum", BLUE, "square"),
             Key("less than the sum", VERMILLION, "square"), HATCHED),
    )  # fmt: skip


def _seen(analysis: Analysis) -> Figure:
    frame = analysis.interactions
    names, values, _ = _square(frame, "trials_both")
    rows, numbers = numbered(names)
    cells = [["" if np.isnan(v) or v == 0 else f"{v:.0f}" for v in row] for row in values]
    panel = heatmap(
        values, rows, rows, text=cells, hover="%{z:.0f} trials",
        hatched=_unseen(frame, names), narrow_columns=numbers,
    )  # fmt: skip
    return Figure(
        id="pairs",
        title="How many trials contain both",
        finding=words.pairs_finding(frame),
        n=plural(len(frame), "pair"),
        estimand="number of trials whose policy contains both augmentations",
        estimator="count",
        table="interactions",
        frame=frame[["first", "second", "trials_both", "observed"]],
        panels=(panel,),
        key=(HATCHED,),
    )


def _square(frame: pd.DataFrame, key: str) -> tuple[list[str], Matrix, NDArray[np.bool_]]:
    """Names in pool order, the symmetric matrix of `key` where observed, and where it is sure."""
    names = list(dict.fromkeys([*frame["first"], *frame["second"]]))
    place = {name: n for n, name in enumerate(names)}
    values = np.full((len(names), len(names)), np.nan)
    sure = np.zeros_like(values, dtype=bool)
    for row in frame.to_dict("records"):
        if row["observed"]:
            i, j = place[row["first"]], place[row["second"]]
            values[i, j] = values[j, i] = row[key]
            sure[i, j] = sure[j, i] = row["verdict"] in ("better", "worse")
    return names, values, sure


def _unseen(frame: pd.DataFrame, names: list[str]) -> list[tuple[int, int]]:
    place = {name: n for n, name in enumerate(names)}
    never = frame[~frame["observed"].astype(bool)]
    pairs = [(place[a], place[b]) for a, b in zip(never["first"], never["second"], strict=True)]
    return [cell for a, b in pairs for cell in ((a, b), (b, a))]


def _table(analysis: Analysis) -> Table:
    frame = analysis.interactions
    order = frame["effect"].abs().sort_values(ascending=False).index
    return Table(
        name="interactions",
        title="Pairs, the strongest first",
        frame=frame.loc[order],
        columns=(
            text("first", "First"),
            text("second", "Second"),
            count("trials_both", "Trials with both"),
            signed("effect", "Beyond the sum"),
            ranged("low", "high"),
            p_value("p_holm", "Holm p"),
            verdict(),
        ),
        most=10,
    )
