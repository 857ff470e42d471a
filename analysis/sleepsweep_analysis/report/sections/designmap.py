"""The policies of a sweep as a map of trials and augmentations, in two orders."""

import numpy as np
import pandas as pd

from sleepsweep_analysis.comparable import swept
from sleepsweep_analysis.figures.figure import Figure, Panel
from sleepsweep_analysis.figures.heatmap import heatmap
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words import run as words
from sleepsweep_analysis.words.numbers import plural

__all__ = ["design_maps"]

MOST = 300
"""Columns of a map; of more trials each column is a few neighbours, and its colour their share."""


def design_maps(analysis: Analysis) -> tuple[Figure, Figure]:
    """The map in launch order, and the map by how far trials got."""
    trials = swept(analysis.trials).sort_values("order")
    far = trials.sort_values(["rung", "macro_f1"], kind="stable", na_position="first")
    switches = [f"on.{name}" for name in analysis.chosen.pool]
    table = trials[["trial", "order", "kind", "block", "rung", "decision", *switches]]
    by_time = Figure(
        id="design-time",
        title="Every policy, in launch order",
        finding="Each column is a trial, filled where its policy contains the augmentation. "
        f"A policy has {_typical(trials['size'])} of them.",
        n=plural(len(trials), "trial"),
        estimand="which augmentations a trial's policy contains",
        estimator="none: as recorded",
        table="design",
        frame=table,
        panels=(_map(trials, analysis, "trials in launch order", ()),),
        note=_thinned(len(trials)),
    )
    by_rung = Figure(
        id="design-rung",
        title="The same policies, by how far they got",
        finding=words.map_finding(_reached(trials, analysis)),
        n=plural(len(trials), "trial"),
        estimand="which augmentations a trial's policy contains",
        estimator="none: ordered by the last rung reached, then by the score there",
        table="design",
        frame=table,
        panels=(_map(far, analysis, "trials by last rung and score there", _edges(far)),),
        note=f"{'Orange line: from here on the next rung was reached. ' * (len(_edges(far)) > 1)}"
        f"{_thinned(len(trials))}",
    )
    return by_time, by_rung


def _map(
    trials: pd.DataFrame, analysis: Analysis, title: str, edges: tuple[tuple[int, int], ...]
) -> Panel:
    on = trials[analysis.chosen.switches].to_numpy(dtype=float)
    groups = np.array_split(np.arange(len(on)), min(len(on), MOST))
    values = np.array([on[group].mean(axis=0) for group in groups]).T
    first = [int(group[0]) + 1 for group in groups]
    panel = heatmap(
        values, list(analysis.chosen.pool), first, hover="%{z:.0%}", span=1.0, title=title,
        row_height=20,
    )  # fmt: skip
    ticks = _ticks(first)
    axis = {**panel.layout["xaxis"], "tickvals": ticks, "ticktext": [str(first[t]) for t in ticks],
            "tickangle": 0}  # fmt: skip
    gap = 1 if len(first) <= 60 else 0
    data = [{**panel.data[0], "xgap": gap}]
    scale = len(groups) / max(len(on), 1)
    marks: dict[str, list[dict[str, object]]] = {"shapes": [], "annotations": []}
    for place, rung in edges:
        x = place * scale - 0.5
        marks["annotations"].append(
            {"x": max(x, -0.5), "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": "left",
             "text": f"rung {rung}", "showarrow": False, "font": {"size": 11}}
        )  # fmt: skip
        if place:
            marks["shapes"].append(
                {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper",
                 "line": {"color": "#E69F00", "width": 2}}
            )  # fmt: skip
    layout = {**panel.layout, "xaxis": axis, **marks}
    layout["margin"] = {**panel.layout["margin"], "t": 28 if edges else 12, "b": 50}
    narrow = {**panel.narrow, "xaxis": axis, "shapes": marks["shapes"]}
    return Panel(data, layout, narrow, narrow_data=panel.narrow_data)


def _typical(sizes: pd.Series) -> str:
    low, middle, high = sizes.min(), sizes.median(), sizes.max()
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f} (median {middle:g})"


def _ticks(first: list[int]) -> list[int]:
    """Places of about five ticks at round numbers."""
    step = max(len(first) // 5, 1)
    return list(range(0, len(first), step))


def _edges(far: pd.DataFrame) -> tuple[tuple[int, int], ...]:
    """Where each rung's trials begin, left out where it is too narrow for its name."""
    starts = pd.Series(range(len(far))).groupby(far["rung"].to_numpy()).first()
    kept: list[tuple[int, int]] = []
    for rung, place in reversed(list(starts.items())):
        if not kept or kept[-1][0] - place >= len(far) / 12:
            kept.append((int(place), int(str(rung))))
    return tuple(kept)


def _reached(trials: pd.DataFrame, analysis: Analysis) -> pd.DataFrame:
    """Share of the trials with each augmentation, among those that reached the last rung or not."""
    last = analysis.chosen.last
    far = trials["rung"] == (trials["rung"].max() if last is None else last)
    on = trials[analysis.chosen.switches]
    frame = pd.DataFrame({"augmentation": list(analysis.chosen.pool)})
    return frame.assign(
        far=on[far].mean().to_numpy(), short=on[~far].mean().to_numpy(),
        n_far=int(far.sum()), n_short=int((~far).sum()),
    )  # fmt: skip


def _thinned(count: int) -> str:
    if count <= MOST:
        return ""
    return (
        f"With {count:,} trials each of the {MOST} columns holds about {count / MOST:.0f} "
        "neighbours; its colour is the share of them that contain the augmentation."
    )
