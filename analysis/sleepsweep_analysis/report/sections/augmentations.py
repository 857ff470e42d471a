"""4 · Augmentations: the forest with its cross-checks, and the effect on each sleep stage."""

import numpy as np
import pandas as pd

from sleepsweep_analysis.figures.figure import VERDICT_KEY, Figure
from sleepsweep_analysis.figures.forest import cross_key, forest
from sleepsweep_analysis.figures.heatmap import heatmap
from sleepsweep_analysis.report.columns import (
    count,
    number,
    p_value,
    ranged,
    share,
    signed,
    text,
    verdict,
)
from sleepsweep_analysis.report.section import Block, Section, Table, Text
from sleepsweep_analysis.report.sections.common import MODEL, counted, distribution, refusals
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words import effects as words
from sleepsweep_analysis.words.numbers import signed as points

__all__ = ["build"]

METHODS = {
    "anchors": "anchors only, least squares",
    "pairs": "matched pairs",
    "plain": "every finished trial, least squares",
}
STAGES = ("W", "N1", "N2", "N3", "REM")


def build(analysis: Analysis) -> Section:
    """The augmentations of `analysis`."""
    blocks: list[Block] = list(refusals(analysis, "ranking", "final", "raw"))
    if "ranking" in analysis.refused:
        blocks.append(_counts(analysis))
    elif analysis.effects.empty:
        blocks.append(Text("No augmentation was run."))
    else:
        blocks += [_forest(analysis), _table(analysis)]
        blocks += [_stages(analysis)] if len(analysis.stages) else [
            Text(words.stages_finding(analysis.stages), "note")
        ]  # fmt: skip
        blocks.append(_screen(analysis))
    return Section("augmentations", "Augmentations", tuple(blocks))


def _forest(analysis: Analysis) -> Figure:
    frame, crosses = analysis.effects, _crosses(analysis)
    names = frame["augmentation"].tolist()
    return Figure(
        id="augmentations",
        title="What adding one augmentation changes",
        finding=f"{words.family_finding(frame, 'augmentation')} "
        f"{words.best_finding(frame, 'augmentation')}",
        n=counted(analysis),
        estimand="mean change of macro-F1 when it is added to a random set "
        f"({distribution(analysis)})",
        estimator=f"{MODEL}; 95 % intervals, Holm's correction over augmentations",
        table="effects",
        frame=frame,
        panels=(forest(frame, names, crosses if len(crosses) else None),),
        key=VERDICT_KEY + cross_key(list(dict.fromkeys(crosses["method"]))),
        note=f"{words.crosses_finding(crosses)} The cross-checks are other estimates of the same "
        "effect from fewer trials; matched pairs hold for the sets that happened to run. What runs "
        "past the edge is in the table.",
    )


def _crosses(analysis: Analysis) -> pd.DataFrame:
    """The cross-checks by their names in words; plain ones only where plain means are allowed."""
    found: pd.DataFrame = analysis.crosschecks
    if "raw" in analysis.refused:
        found = found[found["method"] != "plain"]
    found = found[found["effect"].notna()]
    methods = found["method"].map(lambda key: METHODS.get(key, key))
    return found.assign(method=methods, name=found["augmentation"])


def _table(analysis: Analysis) -> Table:
    return Table(
        name="effects",
        title="Augmentations",
        frame=analysis.effects,
        columns=(
            text("augmentation", "Augmentation"),
            text("category", "Category"),
            count("trials_with", "Trials with"),
            signed("effect", "Effect"),
            ranged("low", "high"),
            share("p_best", "P(best)"),
            p_value("p_holm", "Holm p"),
            verdict(),
        ),
    )


def _stages(analysis: Analysis) -> Figure:
    frame = analysis.stages.assign(stage=analysis.stages["stage"].replace("R", "REM"))
    order = [n for n in analysis.effects["augmentation"] if n in set(frame["augmentation"])]
    columns = [stage for stage in STAGES if stage in set(frame["stage"])]
    wide = {
        key: frame.pivot(index="augmentation", columns="stage", values=key)
        .reindex(index=order, columns=columns).to_numpy(dtype=float)
        for key in ("effect", "low", "high")
    }  # fmt: skip
    sure = (wide["low"] > 0) | (wide["high"] < 0)
    text_of = [
        ["" if np.isnan(v) else points(v) if s else f"({points(v)})"
         for v, s in zip(values, known, strict=True)]
        for values, known in zip(wide["effect"], sure, strict=True)
    ]  # fmt: skip
    panel = heatmap(wide["effect"], order, columns, text=text_of, hover="%{z:+.2f}", diverging=True)
    return Figure(
        id="stages",
        title="Change of F1 by sleep stage (points)",
        finding=words.stages_finding(frame),
        n=counted(analysis),
        estimand="mean change of the F1 of a stage when the augmentation is added to a random set",
        estimator=f"{MODEL}, fitted to each stage's F1; in brackets: the 95 % interval covers 0",
        table="stages",
        frame=frame,
        panels=(panel,),
    )


def _screen(analysis: Analysis) -> Table | Text:
    if analysis.screen.empty:
        return Text(words.screen_finding(analysis.screen), "note")
    return Table(
        name="screen",
        title="A screen for what the model could miss (random forest)",
        frame=analysis.screen,
        columns=(
            text("augmentation", "Augmentation"),
            number("importance", "Importance", 2),
            ranged("low", "high", plus=False),
        ),
        note=words.screen_finding(analysis.screen),
        folded=True,
    )


def _counts(analysis: Analysis) -> Table:
    return Table(
        name="effects",
        title="What was run of each augmentation",
        frame=analysis.effects,
        columns=(
            text("augmentation", "Augmentation"),
            text("category", "Category"),
            count("trials_with", "Trials with"),
            count("trials_without", "Trials without"),
        ),
    )
