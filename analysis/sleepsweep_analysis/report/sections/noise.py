"""9 · Noise: where it comes from, what this sweep could see, and what more runs would show."""

import numpy as np

from sleepsweep_analysis.figures.dots import Series, dots
from sleepsweep_analysis.figures.figure import Figure
from sleepsweep_analysis.figures.palette import BLUE
from sleepsweep_analysis.report.columns import count, number
from sleepsweep_analysis.report.section import Block, Bullets, Heading, Section, Table, Text
from sleepsweep_analysis.report.sections.common import counted
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.warnings import CLAIMS
from sleepsweep_analysis.words import noise as words

__all__ = ["build"]


def build(analysis: Analysis) -> Section:
    """The noise of `analysis`."""
    blocks: list[Block] = []
    if "ranking" not in analysis.refused:
        blocks.append(Text(words.smallest_finding(analysis.effects)))
    if len(analysis.variance):
        blocks.append(_components(analysis))
    else:
        blocks.append(Text(words.variance_finding(analysis.variance)))
    # Where the claim is refused, it is not for lack of trials.
    if len(analysis.runs_needed) and "ranking" not in analysis.refused:
        blocks.append(_needed(analysis))
    blocks += [Heading("Questions that this report does not answer"), Bullets(_open(analysis))]
    return Section("noise", "Noise", tuple(blocks))


def _components(analysis: Analysis) -> Figure:
    frame = analysis.variance
    ends = [frame[key].astype(float) for key in ("sd", "low", "high")]
    sd, low, high = (values.where(np.isfinite(values)).tolist() for values in ends)
    names = [f"{meaning[:1].upper()}{meaning[1:]}" for meaning in frame["meaning"]]
    panel = dots(
        names, (Series("sd", sd, low, high, BLUE),), "standard deviation (points)", zero=True,
        above=True,
    )  # fmt: skip
    panel.layout["xaxis"]["rangemode"] = "tozero"
    return Figure(
        id="variance",
        title="Where scores vary",
        finding=words.variance_finding(frame),
        n=counted(analysis),
        estimand="standard deviation of each part of a score, in points of macro-F1",
        estimator="restricted likelihood; 95 % intervals from the Laplace approximation",
        table="variance",
        frame=frame,
        panels=(panel,),
    )


def _needed(analysis: Analysis) -> Table:
    return Table(
        name="runs_needed",
        title="What smaller effects need",
        frame=analysis.runs_needed,
        columns=(
            number("effect", "To see an effect of (points)"),
            count("trials", "Random trials like these"),
            count("blocks", "Paired blocks, to compare two policies"),
        ),
        note=words.needs_finding(analysis.runs_needed, analysis.chosen.n_trials)
        + " Both with 80 % power.",
    )


def _open(analysis: Analysis) -> list[str]:
    """Questions this sweep leaves open, from what it lacks and what its warnings refuse."""
    found = [CLAIMS[claim] for claim in analysis.refused if claim in CLAIMS]
    if analysis.confirmation.empty:
        found.append("how a policy scores on test subjects: only confirmation runs read them")
    if analysis.optima.empty:
        found.append("how strong an augmentation should be: no severity was varied")
    found.append("other data sets, encoders and channels than those that were run")
    return list(dict.fromkeys(found))
