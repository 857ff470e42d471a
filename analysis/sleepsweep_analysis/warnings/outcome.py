"""How trials ended: stopped, missing, collapsed, shorter than others, or scored on less."""

import numpy as np
import pandas as pd

from sleepsweep.results import STAGES
from sleepsweep_analysis.estimates.ranking import LEVEL, holm
from sleepsweep_analysis.warnings.check import DESIGNED, FINISHED, Check, Evidence, listed

__all__ = ["censored", "collapsed", "few_stages", "incomplete", "length", "no_rungs"]

LONGER = 0.05
"""Smallest relative difference of mean training lengths that is worth a word."""


def censored(seen: Evidence) -> Check:
    """CENSORED: most trials were stopped and few of those exempt from it reached the end.

    Over half stopped and fewer than 20 designed trials finished: the scores at full length are
    those of survivors, so size is not claimed and final effects rest on early rungs.
    """
    stopped = float((seen.trials["decision"] == "stop").mean())
    anchors = seen.trials["kind"].isin(DESIGNED)
    finished = int((anchors & seen.trials["decision"].isin(FINISHED)).sum())
    text = f"{stopped:.0%} of the trials were stopped early"
    if stopped <= 0.5 or finished >= 20:
        return Check("CENSORED", "green", f"{text}.", "")
    text += f"; of those exempt from it, {finished} finished."
    effect = "Final effects are extrapolated from early rungs; no claim about size."
    return Check("CENSORED", "amber", text, effect, ("size", "final"))


def no_rungs(seen: Evidence) -> Check | None:
    """NO_RUNGS: stopped trials of which no scored rung is stored; the model leaves them out.

    Stopping follows the scores, so leaving them out is selection on the outcome.
    """
    stopped = seen.trials.loc[seen.trials["decision"] == "stop", "trial"]
    if stopped.empty:
        return None
    lost = int((~stopped.isin(seen.all.loc[_usable(seen), "trial"])).sum())
    if not lost:
        text = f"The rungs of all {len(stopped)} stopped trials were recorded."
        return Check("NO_RUNGS", "green", text, "")
    text = f"{lost} of {len(stopped)} stopped trials have no score at a known rung."
    effect = "They are left out, which favours augmentations whose bad trials were stopped."
    return Check("NO_RUNGS", "amber", text, effect)


def _usable(seen: Evidence) -> pd.Series:
    """Rows of the whole table that have a score and say at what length."""
    told = (seen.all["step"] > 0) | (seen.all["rung"].nunique() > 1)
    return seen.all["macro_f1"].notna() & told


def incomplete(seen: Evidence) -> Check:
    """INCOMPLETE: trials failed, or are missing, or fail with one augmentation.

    The tie is Fisher's exact test of failing against each augmentation, Holm over the pool.
    """
    failed = seen.trials["decision"] == "failed"
    # Baselines are planned too, and run like the others.
    begun = seen.all.loc[seen.all["kind"] != "confirmation", "trial"].nunique()
    short = max(seen.study.planned_trials - int(begun), 0)
    running = int((seen.trials["decision"] == "continue").sum())
    text = f"Trials failed: {int(failed.sum())}; unfinished: {running}; not started: {short}."
    tied = _tied(seen, failed)
    if tied:
        effect = f"Failures are tied to {listed(tied)}: effects may be biased."
        return Check("INCOMPLETE", "red", text, effect)
    if failed.any() or short or running:
        return Check("INCOMPLETE", "amber", text, "The numbers may move when the rest has run.")
    return Check("INCOMPLETE", "green", f"All {len(seen.trials)} trials ended as planned.", "")


def _tied(seen: Evidence, failed: pd.Series) -> list[str]:
    """Augmentations whose trials fail more or less often (Fisher's exact test, Holm)."""
    from scipy.stats import fisher_exact

    if not failed.any() or failed.all():
        return []
    p = []
    for switch in seen.chosen.switches:
        counts = pd.crosstab(failed, seen.trials[switch]).reindex(
            index=[False, True], columns=[False, True], fill_value=0
        )
        p.append(float(fisher_exact(counts.to_numpy()).pvalue))
    adjusted = holm(np.array(p))
    return [n for n, value in zip(seen.chosen.pool, adjusted, strict=True) if value < LEVEL]


def collapsed(seen: Evidence) -> Check:
    """COLLAPSED: trials that collapsed count at chance, and what changes without them."""
    count = int((seen.trials["decision"] == "collapsed").sum())
    if not count:
        return Check("COLLAPSED", "green", "No trial collapsed.", "")
    text = f"{count} trial{'s' * (count != 1)} collapsed; one with no score of its own "
    text += "counts at chance."
    effect = "Without them every verdict holds."
    if seen.flips:
        effect = f"Without them these verdicts change: {', '.join(seen.flips)}."
    return Check("COLLAPSED", "amber", text, effect)


def length(seen: Evidence) -> Check | None:
    """LENGTH: finished trials of one augmentation were trained longer than the others.

    Of finished trials, so that stopping counts for nothing: a rank test (Mann & Whitney 1947) of
    the steps with against without each augmentation, Holm over the pool, and means that differ by
    over 5 %. Says nothing where no length is recorded.
    """
    done = seen.trials[seen.trials["decision"] == "done"]
    steps = done["steps_trained"].to_numpy(dtype=float)
    if not len(steps) or not (steps > 0).all():
        return None
    if np.ptp(steps) == 0:
        text = f"Every finished trial trained for {steps[0]:,.0f} steps."
        return Check("LENGTH", "green", text, "")
    tied = _longer(seen, done, steps)
    text = f"Finished trials trained for {steps.min():,.0f} to {steps.max():,.0f} steps"
    if not tied:
        return Check("LENGTH", "green", f"{text}, with no augmentation longer than others.", "")
    effect = "Part of their effects may be that of the training length."
    return Check("LENGTH", "amber", f"{text}, and differently with {listed(tied)}.", effect)


def _longer(
    seen: Evidence, done: pd.DataFrame, steps: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> list[str]:
    from scipy.stats import mannwhitneyu

    p = np.ones(len(seen.chosen.pool))
    for number, switch in enumerate(seen.chosen.switches):
        on = done[switch].to_numpy(dtype=bool)
        if on.any() and not on.all():
            apart = abs(steps[on].mean() / steps[~on].mean() - 1)
            p[number] = mannwhitneyu(steps[on], steps[~on]).pvalue if apart > LONGER else 1.0
    return [n for n, value in zip(seen.chosen.pool, holm(p), strict=True) if value < LEVEL]


def few_stages(seen: Evidence) -> Check | None:
    """FEW_STAGES: some scores are means over fewer than five stages.

    Says nothing where no F1 by stage is recorded.
    """
    scored = seen.chosen.rows[[f"f1.{stage}" for stage in STAGES]].notna().sum(axis=1)
    if not (scored > 0).any():
        return None
    short = int(((scored > 0) & (scored < len(STAGES))).sum())
    if not short:
        return Check("FEW_STAGES", "green", "Every score is a mean over all five stages.", "")
    text = f"{short} of {len(scored)} scores are means over fewer than five stages."
    return Check("FEW_STAGES", "amber", text, "Such scores are not comparable with the others.")
