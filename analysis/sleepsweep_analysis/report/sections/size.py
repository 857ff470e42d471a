"""5 · Size: m(k) with its band, and right under it what the sets of each size were made of."""

from typing import Any

import pandas as pd

from sleepsweep_analysis.figures.curve import band, line
from sleepsweep_analysis.figures.figure import Figure, Panel, margins
from sleepsweep_analysis.figures.heatmap import heatmap
from sleepsweep_analysis.report.columns import count, number, ranged, share, signed, text
from sleepsweep_analysis.report.section import Block, Section, Table, Text
from sleepsweep_analysis.report.sections.common import MODEL, counted, refusals
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words import size as words
from sleepsweep_analysis.words.numbers import plural

__all__ = ["build"]

CURVE, BELOW = 270, 66
"""Heights of the curve and of the axis with its names, in pixels."""


def build(analysis: Analysis) -> Section:
    """The size curve of `analysis`; where it is refused, only what the sizes were made of."""
    blocks: list[Block] = list(refusals(analysis, "size"))
    if "size" in analysis.refused:
        blocks += [_mix(analysis)] if len(analysis.composition) else []
    elif analysis.size_curve.empty:
        blocks.append(Text("No size was run."))
    else:
        blocks += [_curve(analysis), _table(analysis)]
    return Section("size", "Size", tuple(blocks))


def _curve(analysis: Analysis) -> Figure:
    frame, mix = analysis.size_curve, analysis.composition
    first = int(frame["reference"].iloc[0])
    return Figure(
        id="sizes",
        title="Mean score by number of augmentations, and what each size was made of",
        finding=f"{words.size_finding(frame)} {words.composition_finding(mix)}",
        n=counted(analysis),
        estimand=f"m(k) − m({first}): difference of the mean macro-F1 of uniform sets of k and "
        f"{first}; below: share of the trials of a size with the augmentation",
        estimator=f"{MODEL}; below: count. A placebo does not count towards size",
        table="size_curve",
        frame=frame,
        panels=(_over(frame, mix, first),),
    )


def _over(frame: pd.DataFrame, mix: pd.DataFrame, first: int) -> Panel:
    """The curve over the heat map of the composition, on one axis of sizes."""
    below = _cells(mix, frame["size"].tolist())
    x = list(range(len(frame)))
    upper: list[dict[str, Any]] = [
        band(x, frame["low"].tolist(), frame["high"].tolist()),
        line(frame.assign(place=x), "place", "difference", hover="%{x}"),
    ]
    for trace in upper:
        trace["yaxis"] = "y2"
    layout = {**_stacked(below.layout, f"points against size {first}"), "xaxis": _axis(frame)}
    narrow = {**_stacked(below.narrow, ""), "xaxis": _axis(frame)}
    layout["margin"], narrow["margin"] = margins(20, 12, 12, BELOW), margins(36, 8, 12, BELOW)
    return Panel([*below.data, *upper], layout, narrow, narrow_data=below.narrow_data)


def _stacked(cells: dict[str, Any], title: str) -> dict[str, Any]:
    """The layout of a heat map with room for the curve on top of it."""
    height = cells["height"] + CURVE
    share_of_map = (cells["height"] - BELOW) / (height - BELOW - 12)
    upper = {"title": {"text": title}, "domain": [share_of_map + 0.05, 1], "zeroline": True}
    lower = {**cells["yaxis"], "domain": [0, share_of_map]}
    return {**cells, "height": height, "yaxis": lower, "yaxis2": upper}


def _axis(frame: pd.DataFrame) -> dict[str, Any]:
    """Sizes with the number of their trials."""
    names = [f"{row.size}<br>n={row.trials:.0f}" for row in frame.itertuples(index=False)]
    return {
        "title": {"text": "augmentations in the set (n: trials)", "standoff": 8}, "showgrid": False,
        "tickvals": list(range(len(names))), "ticktext": names, "zeroline": False, "tickangle": 0,
        "range": [-0.5, len(names) - 0.5],
    }  # fmt: skip


def _cells(mix: pd.DataFrame, sizes: list[int]) -> Panel:
    wide = mix.pivot_table(index="augmentation", columns="size", values="share", sort=False)
    wide = wide.reindex(columns=sizes)
    text_of = [["" if v != v else f"{100 * v:.0f}" for v in row] for row in wide.to_numpy()]
    return heatmap(
        wide.to_numpy(), list(wide.index), [str(k) for k in sizes], text=text_of, hover="%{z:.0%}",
        span=1.0, title="augmentations in the set", row_height=22,
    )  # fmt: skip


def _mix(analysis: Analysis) -> Figure:
    frame = analysis.composition
    sizes = sorted(int(size) for size in frame["size"].unique())
    return Figure(
        id="composition",
        title="What the sets of each size were made of (% of trials)",
        finding=words.composition_finding(frame),
        n=plural(int(frame.drop_duplicates("size")["trials"].sum()), "trial"),
        estimand="share of the trials of a size that contain the augmentation",
        estimator="count",
        table="composition",
        frame=frame,
        panels=(_cells(frame, sizes),),
    )


def _table(analysis: Analysis) -> Table:
    first = int(analysis.size_curve["reference"].iloc[0])
    return Table(
        name="size_curve",
        title="Sizes",
        frame=analysis.size_curve,
        columns=(
            text("size", "Size"),
            count("trials", "Trials"),
            signed("difference", f"Against size {first}"),
            ranged("low", "high"),
            number("level", "Mean score"),
            ranged("level_low", "level_high", "Its 95 % interval", plus=False),
            share("p_best", "P(best)"),
        ),
        note="Means over random sets of a size, on the average block at the last rung. Not “the "
        "best set of size k”: the more sets there are, the luckier the best of them.",
    )
