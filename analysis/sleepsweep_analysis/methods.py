"""The methods paragraph, written from what was done, and what the sweep cannot tell."""

import numpy as np

from sleepsweep_analysis import words
from sleepsweep_analysis.ranking import DRAWS, EQUAL
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.warnings import detectable, runs_for

__all__ = ["SOURCES", "methods", "noise"]

SIZES = (0.5, 1.0, 2.0)
"""Effects, in points, whose need of trials is printed."""

UNSUPPORTED = (
    "which augmentations help or hinder each other (interactions)",
    "how strong an augmentation should be, or how often to apply it (severity, probability)",
    "how a policy scores on the test subjects: only confirmation runs read them",
    "which policy is best: the leaderboard shows the luckiest of many",
    "a category's members that were not in the pool, or other data sets and encoders",
)

SOURCES = (
    "Patterson & Thompson 1971, Biometrika 58:545–554 (restricted likelihood)",
    "Henderson 1975, Biometrics 31:423–447 (best linear unbiased prediction)",
    "Rue, Martino & Chopin 2009, JRSS B 71:319–392 (Laplace approximation)",
    "Holm 1979, Scand. J. Stat. 6:65–70 (adjusted p-values)",
    "Efron & Tibshirani 1993, An Introduction to the Bootstrap (jackknife)",
    "Okabe & Ito 2008, Color Universal Design (palette)",
)


def noise(analysis: Analysis) -> dict[str, list[tuple[str, str]] | tuple[str, ...] | str]:
    """Section 7: noise by source, the trials that smaller effects need, unsupported questions."""
    frame, many = analysis.effects, analysis.chosen.n_trials
    runs = [(f"{effect:g}", _runs(runs_for(frame, many, effect), many)) for effect in SIZES]
    least = detectable(frame)
    finding = "These policies do not show the effect of any one augmentation, whatever its size."
    if np.isfinite(least):
        finding = (
            f"With 80 % power this sweep calls an effect of {least:.1f} points of one augmentation "
            "better, by the same model and the same Holm rule; smaller ones it would often miss."
        )
    return {
        "finding": finding,
        "components": [
            (str(row["meaning"]), f"{row['sd']:.2f}") for _, row in analysis.variance.iterrows()
        ],
        "runs": runs,
        "unsupported": UNSUPPORTED,
    }


def _runs(need: int | None, many: int) -> str:
    if need is None:
        return "more like these do not help"
    return f"about {need:,}" if need > many else f"these {many} suffice"


def methods(analysis: Analysis) -> str:
    """One paragraph for a paper, of what was done to this table."""
    chosen, design = analysis.chosen, analysis.posterior.design
    rungs = len(design.early) + 1
    early = (
        "Scores before the last rung enter with a tilt for each augmentation and a residual. "
        if rungs > 1 else ""
    )  # fmt: skip
    held = len(analysis.table.trials) - len(chosen.rows)
    left = f"{words.plural(held, 'row')} were left out (section 2). " if held else ""
    return (
        f"Macro-F1 (points; mean over the stages present in the pooled reference labels) of "
        f"{chosen.n_trials} trials at {words.plural(rungs, 'rung')} in "
        f"{words.plural(len(design.blocks), 'block')} ({len(chosen.rows)} scores) was described by "
        f"a hierarchical linear model with flat block and rung offsets, effects of "
        f"{len(chosen.pool)} augmentations pooled within {len(set(chosen.category))} categories, a "
        f"Gaussian process over the number of augmentations (length-scale 2) and a random effect "
        f"for each trial. {early}{left}Variances were estimated by restricted likelihood with "
        f"weakly informative normal priors on the log standard deviations and integrated over by "
        f"importance draws from the Laplace approximation. An augmentation's effect is its mean "
        f"change of macro-F1 when added to a random set (size uniform on 1–{chosen.largest}, "
        f"subset uniform). Intervals are 95 % and rank probabilities come from {DRAWS:,} joint "
        f"posterior draws (seed {analysis.seed}). P-values were adjusted by Holm's method within "
        f"each family (categories, augmentations); effects whose interval lies within ±{EQUAL} "
        f"points are called practically equal to none. The smallest visible effect was found by "
        f"planting effects in these scores and fitting again. Intervals of single trials are "
        f"delete-one-subject jackknife intervals of the pooled macro-F1 with t quantiles. "
        f"Interactions and severities are not in this model; they are part of its trial noise."
    )
