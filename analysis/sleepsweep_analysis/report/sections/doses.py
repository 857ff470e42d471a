"""7 · Severity and probability: how strong, how often; and what other settings change."""

import pandas as pd

from sleepsweep_analysis.figures.curve import dose
from sleepsweep_analysis.figures.figure import Figure, Key, Panel
from sleepsweep_analysis.figures.palette import BLUE, ORANGE
from sleepsweep_analysis.report.columns import (
    between,
    count,
    estimated,
    number,
    p_value,
    ranged,
    signed,
    text,
    verdict,
)
from sleepsweep_analysis.report.section import Block, Heading, Section, Table, Text
from sleepsweep_analysis.report.sections.common import MODEL, counted, refusals
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words import doses as words

__all__ = ["build"]

MOST = 24
"""Curves on the page; all stand in the table."""

ORDER = ("optimum", "flat", "cannot tell")


def build(analysis: Analysis) -> Section:
    """The curves of `analysis`, and its covariates."""
    refused = "ranking" in analysis.refused
    blocks: list[Block] = list(refusals(analysis, "ranking"))
    if not refused and len(analysis.optima):
        blocks += [_curves(analysis), _optima(analysis)]
    elif not refused:
        blocks.append(Text(words.dose_finding(analysis.optima)))
    blocks += [Heading("Other settings"), *_covariates(analysis)]
    if not refused:
        blocks += _robustness(analysis)
    return Section("doses", "Severity and probability", tuple(blocks))


def _curves(analysis: Analysis) -> Figure:
    optima = analysis.optima
    rank = optima["verdict"].map({word: n for n, word in enumerate(ORDER)})
    shown = optima.assign(rank=rank).sort_values("rank", kind="stable").head(MOST)
    more = len(optima) - len(shown)
    ends = (float(analysis.doses["low"].min()), float(analysis.doses["high"].max()))
    return Figure(
        id="doses",
        title="How strong, and how often",
        finding=words.dose_finding(optima),
        n=counted(analysis),
        estimand="change of macro-F1 of a set with the augmentation at this value, against the "
        "mean over the range that was run",
        estimator=f"{MODEL}, a parabola for each dial; 95 % bands",
        table="doses",
        frame=analysis.doses,
        panels=tuple(_panel(analysis.doses, row, ends) for _, row in shown.iterrows()),
        key=(Key("effect and 95 % band", BLUE, "band"),
             Key("where the optimum lies (95 %)", ORANGE, "band")),
        note=f"{more} further curves stand in the table." if more else "",
        columns=3,
    )  # fmt: skip


def _panel(doses: pd.DataFrame, row: pd.Series, ends: tuple[float, float]) -> Panel:
    mine = doses[
        (doses["augmentation"] == row["augmentation"]) & (doses["quantity"] == row["quantity"])
    ]
    sharp = row["verdict"] == "optimum"
    optimum = (float(row["optimum_low"]), float(row["optimum_high"])) if sharp else None
    return dose(
        mine.sort_values("value"), str(row["augmentation"]), words.optimum_note(row),
        str(row["quantity"]), ends, optimum,
    )  # fmt: skip


def _optima(analysis: Analysis) -> Table:
    return Table(
        name="optima",
        title="Optima",
        frame=analysis.optima,
        columns=(
            text("augmentation", "Augmentation"),
            text("quantity", "Dial"),
            between("lowest", "highest", "Range run"),
            count("trials", "Trials"),
            number("optimum", "Best value", 2),
            between("optimum_low", "optimum_high", "Its 95 % interval"),
            estimated("gain", "gain_low", "gain_high", "Gain over the range's mean"),
            verdict(),
        ),
        note="severity 0 is the identity, 1 the strongest; p is the probability that an epoch is "
        "changed. “flat”: the value makes practically no difference over the range.",
        folded=True,
    )


def _covariates(analysis: Analysis) -> tuple[Block, ...]:
    frame = analysis.covariates
    finding = Text(words.covariate_finding(frame))
    if frame.empty:
        return (finding,)
    table = Table(
        name="covariates",
        title="Settings that were varied with the policies",
        frame=frame,
        columns=(
            text("covariate", "Setting"),
            text("value", "Value"),
            count("trials", "Trials"),
            signed("effect", "Against its first value"),
            ranged("low", "high"),
        ),
        note="Terms of the same model, so that no setting stands in for an augmentation.",
    )
    return finding, table


def _robustness(analysis: Analysis) -> tuple[Block, ...]:
    frame = analysis.robustness
    finding = Text(words.robust_finding(frame))
    if frame.empty:
        return (finding,)
    order = frame["change"].abs().sort_values(ascending=False).index
    table = Table(
        name="robustness",
        title="Does the ranking depend on them?",
        frame=frame.loc[order],
        columns=(
            text("augmentation", "Augmentation"),
            text("covariate", "Setting"),
            signed("at_low", "Effect at its low end"),
            signed("at_high", "At its high end"),
            signed("change", "Change"),
            ranged("low", "high"),
            p_value("p_holm", "Holm p"),
            verdict(),
        ),
        most=15,
    )
    return finding, table
