"""14 · Sensitivity: which verdicts hold under other metrics, splits, priors and trials."""

from dataclasses import replace

import pandas as pd

from sleepsweep_analysis.figures.figure import Figure, Key, Panel
from sleepsweep_analysis.figures.heatmap import heatmap
from sleepsweep_analysis.figures.palette import ORANGE
from sleepsweep_analysis.report.columns import ranged, signed, text, verdict
from sleepsweep_analysis.report.section import Block, Section, Table, Text
from sleepsweep_analysis.report.sections.common import MODEL, counted, refusals
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words.sensitivity import sensitivity_finding

__all__ = ["build"]

FLIPS, HOLDS = "flips", "·"


def build(analysis: Analysis) -> Section:
    """The sensitivity of `analysis`."""
    frame = analysis.sensitivity
    blocks: list[Block] = list(refusals(analysis, "ranking"))
    if "ranking" not in analysis.refused:
        if frame.empty:
            blocks.append(Text(sensitivity_finding(frame)))
        else:
            blocks += [_matrix(analysis), *_flipped(frame)]
    return Section("sensitivity", "Sensitivity", tuple(blocks))


def _matrix(analysis: Analysis) -> Figure:
    frame = analysis.sensitivity
    names = ", ".join(f"{n} {name}" for n, name in enumerate(dict.fromkeys(frame["variant"]), 1))
    return Figure(
        id="sensitivity",
        title="Does each verdict hold?",
        finding=sensitivity_finding(frame),
        n=counted(analysis),
        estimand="verdict on an augmentation when one thing about the analysis is changed",
        estimator=f"{MODEL}, fitted again for each variant",
        table="sensitivity",
        frame=frame,
        panels=(_cells(analysis),),
        note=f"On a narrow screen the variants are numbered: {names}.",
        key=(Key("another verdict (flips)", ORANGE, "square"), Key("· holds", "", "none")),
    )


def _cells(analysis: Analysis) -> Panel:
    frame = analysis.sensitivity
    variants = list(dict.fromkeys(frame["variant"]))
    known = set(frame["augmentation"])
    order = [name for name in analysis.effects["augmentation"] if name in known]
    wide = frame.pivot_table(index="augmentation", columns="variant", values="holds", aggfunc="min")
    wide = wide.reindex(index=order, columns=variants).astype(float)
    text_of = [["" if v != v else HOLDS if v else FLIPS for v in row] for row in wide.to_numpy()]
    panel = heatmap(
        1 - wide.to_numpy(), order, variants, text=text_of, hover="%{text}", span=1.0,
        narrow_columns=[str(n) for n in range(1, len(variants) + 1)],
    )  # fmt: skip
    cells = {**panel.data[0], "colorscale": [[0, "@faint"], [1, ORANGE]]}
    return replace(panel, data=[cells], narrow_data=[{**panel.narrow_data[0], "texttemplate": ""}])


def _flipped(frame: pd.DataFrame) -> tuple[Block, ...]:
    flips = frame[~frame["holds"].astype(bool)]
    if flips.empty:
        return ()
    table = Table(
        name="flips",
        title="Verdicts that flip",
        frame=flips,
        columns=(
            text("augmentation", "Augmentation"),
            text("variant", "Variant"),
            signed("effect", "Effect"),
            ranged("low", "high"),
            verdict("verdict", "Verdict there"),
        ),
        most=20,
    )
    return (table,)
