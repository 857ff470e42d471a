"""16 · Methods: a paragraph for a paper, written from what was done to this table."""

from sleepsweep_analysis.estimates.ranking import DRAWS, EQUAL
from sleepsweep_analysis.report.section import Bullets, Section, Text
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words.numbers import listing, plural

__all__ = ["build", "paragraph"]

SOURCES = (
    "Patterson & Thompson 1971, Biometrika 58:545–554 (restricted likelihood)",
    "Henderson 1975, Biometrics 31:423–447 (best linear unbiased prediction)",
    "Rue, Martino & Chopin 2009, JRSS B 71:319–392 (Laplace approximation)",
    "Holm 1979, Scand. J. Stat. 6:65–70 (adjusted p-values)",
    "Tukey 1949, Biometrics 5:99–114 (groups of policies)",
    "Efron & Tibshirani 1993, An Introduction to the Bootstrap (jackknife)",
    "Breiman 2001, Machine Learning 45:5–32 (random forests)",
    "Okabe & Ito 2008, Color Universal Design (palette)",
)

CROSSCHECKS = {
    "anchors": "least squares on the designed trials with block offsets",
    "pairs": "matched pairs within blocks",
    "plain": "least squares on all finished trials",
}


def build(analysis: Analysis) -> Section:
    """The methods of `analysis`."""
    return Section("methods", "Methods", (Text(paragraph(analysis), "plain"), Bullets(SOURCES)))


def paragraph(analysis: Analysis) -> str:
    """What was done, in one paragraph."""
    parts = (_data(analysis), _model(analysis), _inference(analysis), _beside(analysis),
             _confirmation(analysis), _refused(analysis))  # fmt: skip
    return " ".join(part for part in parts if part)


def _data(analysis: Analysis) -> str:
    chosen = analysis.chosen
    rungs, blocks = int(chosen.rows["rung"].nunique()), int(chosen.rows["block"].nunique())
    held = len(analysis.table.trials) - len(chosen.rows)
    left = f" {plural(held, 'row')} were left out (section 2)." if held > 0 else ""
    return (
        "Macro-F1 (points; mean over the stages present in the pooled reference labels) of "
        f"{plural(chosen.n_trials, 'trial')} at {plural(rungs, 'rung')} in "
        f"{plural(blocks, 'block')} ({plural(len(chosen.rows), 'score')}) was analysed.{left}"
    )


def _model(analysis: Analysis) -> str:
    chosen = analysis.chosen
    terms = [
        f"effects of {len(chosen.pool)} augmentations pooled within "
        f"{len(set(chosen.category))} categories"
    ]
    if len(analysis.interactions):
        terms.append("pairwise interactions")
    terms.append("a Gaussian process over the number of augmentations (length-scale 2)")
    if len(analysis.doses):
        terms.append("linear and quadratic terms for severities and probabilities")
    if len(analysis.covariates):
        terms.append(f"terms for {listing(dict.fromkeys(analysis.covariates['covariate']))}")
    terms.append("a random effect for each trial")
    early = (
        " Scores before the last rung enter with a tilt for each augmentation and a residual."
        if chosen.rows["rung"].nunique() > 1 else ""
    )  # fmt: skip
    return (
        "Scores were described by a hierarchical linear model with flat block and rung offsets, "
        f"{listing(terms)}.{early} Variances were estimated by restricted likelihood with weakly "
        "informative priors on the log standard deviations and integrated over by importance "
        "draws from the Laplace approximation."
    )


def _inference(analysis: Analysis) -> str:
    return (
        "An augmentation's effect is its mean change of macro-F1 when added to a random set (size "
        f"uniform on 1–{analysis.chosen.largest}, subset uniform, severity uniform over its range; "
        "a placebo does not count towards size). Intervals are 95 % and rank probabilities come "
        f"from {DRAWS:,} joint posterior draws (seed {analysis.seed}). P-values were adjusted by "
        "Holm's method within each family; effects whose interval lies within "
        f"±{EQUAL} points are called practically equal to none."
    )


def _beside(analysis: Analysis) -> str:
    run = [
        CROSSCHECKS.get(method, method) for method in dict.fromkeys(analysis.crosschecks["method"])
    ]
    parts = [f"Cross-checks were {listing(run)}."] if run else []
    if len(analysis.screen):
        parts.append("A random forest served as a screen for non-linearity.")
    if len(analysis.sensitivity):
        variants = listing(dict.fromkeys(analysis.sensitivity["variant"]))
        parts.append(f"The model was fitted again with these changes: {variants}.")
    parts.append(
        "Intervals over subjects are delete-one-subject jackknife intervals of the pooled "
        "macro-F1 with t quantiles."
    )
    return " ".join(parts)


def _confirmation(analysis: Analysis) -> str:
    if analysis.confirmation.empty:
        return "No policy was confirmed on test subjects."
    blocks = int(analysis.confirmation["blocks"].max())
    return (
        f"{len(analysis.confirmation)} policies were run again in {plural(blocks, 'fresh block')} "
        "and scored on test subjects that no selection had read; their intervals combine the "
        "variance between blocks with a jackknife over subjects. They are not in the model."
    )


def _refused(analysis: Analysis) -> str:
    if not analysis.refused:
        return ""
    raised = [check.code for check in analysis.checks if getattr(check, "refuses", ())]
    return f"Claims withheld because of {listing(raised)}: {listing(analysis.refused)}."
