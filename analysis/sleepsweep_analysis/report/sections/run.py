"""2 · What was run: how trials ended, which policies, and whether the mix drifted."""

import numpy as np
import pandas as pd

from sleepsweep_analysis.comparable import CHANCE, swept
from sleepsweep_analysis.figures.bars import stacked
from sleepsweep_analysis.figures.figure import Figure
from sleepsweep_analysis.figures.heatmap import heatmap
from sleepsweep_analysis.figures.palette import BLUE, GREY, ORANGE, SKY, VERMILLION
from sleepsweep_analysis.report.columns import count, text
from sleepsweep_analysis.report.section import Facts, Heading, Section, Table, Text
from sleepsweep_analysis.report.sections.common import people
from sleepsweep_analysis.report.sections.designmap import design_maps
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words import run as words
from sleepsweep_analysis.words.numbers import duration, plural

__all__ = ["build"]

COLOURS = {"done": BLUE, "stop": GREY, "collapsed": ORANGE, "failed": VERMILLION, "continue": SKY}
ON, PARTS = "went on", 10


def build(analysis: Analysis) -> Section:
    """What was run in `analysis`."""
    return Section(
        "run",
        "What was run",
        (
            Facts(_facts(analysis)),
            _flow(analysis),
            _kinds(analysis),
            *design_maps(analysis),
            _inclusion(analysis),
            Heading("What could be confused"),
            Text(_aliasing(analysis)),
            _left_out(analysis),
        ),
    )


def _facts(analysis: Analysis) -> list[tuple[str, str]]:
    """What was run, as pairs of a word and its value."""
    study, trials = analysis.table.study, swept(analysis.trials)
    seconds = float(analysis.trials["time_s"].sum())
    splits = plural(int(trials["split"].nunique()), "subject split")
    largest = study.sizes[1] or analysis.chosen.largest
    facts = [
        ("Data", study.data),
        ("Subjects", people(study)),
        ("Blocks", f"{trials['block'].nunique()} over {splits}"),
        ("Policies drawn", f"{study.sampler or 'not said how'}; sizes {study.sizes[0]}–{largest}"),
        ("Training", f"{study.steps:,} optimiser steps at full length" if study.steps else ""),
        ("Time on trials", duration(seconds) if np.isfinite(seconds) and seconds > 0 else ""),
    ]
    facts += [("Extended", entry) for entry in study.extended]
    if study.created:
        facts.append(("Test subjects opened", ", ".join(study.test_opened) or "never"))
    if analysis.chosen.collapsed:
        facts.append(("Collapsed trials", f"{len(analysis.chosen.collapsed)}; {CHANCE}"))
    return [(name, value) for name, value in facts if value]


def _flow(analysis: Analysis) -> Figure:
    """How many trials reached each rung, and what became of them there."""
    # Baselines and confirmations have one rung, which is the last one's step.
    trials = swept(analysis.trials)
    frame = _reached(swept(analysis.table.trials))
    names = [
        f"rung {rung} ({step:,} steps)" if step else f"rung {rung}"
        for rung, step in zip(frame["rung"], frame["step"], strict=True)
    ]
    parts = {ON: ("@grid", frame[ON].tolist())}
    for key, word in words.OUTCOMES.items():
        parts[word] = (COLOURS[key], frame[word].tolist())
    launched = plural(len(trials), "trial")
    return Figure(
        id="flow",
        title="From launch to the last rung",
        finding=words.flow_finding(trials),
        n=f"{launched} launched",
        estimand="trials that reported at a rung, by what became of them there",
        estimator="count",
        table="flow",
        frame=frame,
        panels=(stacked(names, parts, "trials", [f"rung {n}" for n in frame["rung"]]),),
    )


def _reached(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a rung: how many reported there, and what became of them."""
    ordered = rows.sort_values(["trial", "rung"], kind="stable")
    last = ~ordered.duplicated("trial", keep="last")
    fate = ordered["decision"].map(words.OUTCOMES).where(last, ON)
    counts = pd.crosstab([ordered["rung"], ordered["step"]], fate)
    counts = counts.reindex(columns=[ON, *words.OUTCOMES.values()], fill_value=0).reset_index()
    merged = counts.groupby("rung", as_index=False).agg(
        {"step": "max", **dict.fromkeys([ON, *words.OUTCOMES.values()], "sum")}
    )
    merged.columns.name = None
    return merged


def _kinds(analysis: Analysis) -> Table:
    """Trials by why they were run, and how they ended."""
    ends = analysis.trials["decision"].map(words.OUTCOMES)
    frame = pd.crosstab(analysis.trials["kind"], ends)
    frame = frame.reindex(columns=list(words.OUTCOMES.values()), fill_value=0)
    frame.insert(0, "launched", frame.sum(axis=1))
    columns = [count(str(word), str(word).capitalize()) for word in frame]
    frame = frame.reset_index()
    frame.columns.name = None
    return Table(
        name="kinds",
        title="Trials by kind",
        frame=frame,
        columns=(text("kind", "Kind"), *columns),
        note="design: named beforehand; anchor: drawn at random and never stopped early; search: "
        "chosen by the sampler; confirmation: fresh runs of a few policies, kept apart.",
    )


def _inclusion(analysis: Analysis) -> Figure:
    """Share of the trials that contain each augmentation, in tenths of the sweep."""
    frame = _shares(analysis)
    wide = frame.pivot(index="augmentation", columns="part", values="share")
    wide = wide.reindex(list(analysis.chosen.pool))
    text_of = [[f"{100 * value:.0f}" for value in row] for row in wide.to_numpy()]
    panel = heatmap(
        wide.to_numpy(), list(wide.index), [str(n) for n in wide.columns], text=text_of,
        hover="%{z:.0%}", span=1.0, title="part of the sweep, in launch order",
    )  # fmt: skip
    return Figure(
        id="inclusion",
        title="How often each augmentation was drawn, over time (% of trials)",
        finding=words.drift_finding(frame),
        n=plural(int(frame.groupby("part")["trials"].first().sum()), "trial"),
        estimand="share of the trials of a part of the sweep that contain the augmentation",
        estimator="count; first and last third compared at 3 standard errors",
        table="inclusion",
        frame=frame,
        panels=(panel,),
    )


def _shares(analysis: Analysis) -> pd.DataFrame:
    trials = swept(analysis.trials).sort_values("order")
    many = max(min(PARTS, len(trials) // 4), 1)
    part = pd.Series(np.arange(len(trials)) * many // max(len(trials), 1) + 1, trials.index)
    means = trials[analysis.chosen.switches].groupby(part).mean()
    means.columns = list(analysis.chosen.pool)
    sizes = part.value_counts()
    frame = means.rename_axis("part").reset_index().melt("part", None, "augmentation", "share")
    return frame.assign(trials=frame["part"].map(sizes))


def _aliasing(analysis: Analysis) -> str:
    """The warning's sentence, where there is one, and the closest pair of augmentations."""
    chosen = analysis.chosen
    switches = chosen.rows.groupby("trial")[chosen.switches].first()
    switches.columns = list(chosen.pool)
    check = analysis.check("ALIASED")
    lead = f"{check.sentence} {check.effect} " if check and check.level != "green" else ""
    return lead + words.alias_finding(switches)


def _left_out(analysis: Analysis) -> Table | Text:
    frame = analysis.chosen.left_out
    if frame.empty:
        return Text("Rows left out of the model: none.", "note")
    columns = (text("reason", "Reason"), count("rows", "Rows"), count("trials", "Trials"))
    return Table("left_out", "Rows left out of the model", frame, columns)
