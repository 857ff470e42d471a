"""What a reader must know before believing a ranking: one small function a warning.

Each is computed from columns of the table, says red, amber or green in a sentence, and says what
it changes. A green light is shown too: a check that passed is information.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from sleepsweep.results import STAGES, StudyInfo
from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.detectable import TYPICAL
from sleepsweep_analysis.leaderboard import expected_maximum
from sleepsweep_analysis.ranking import LEVEL, holm

__all__ = ["Check", "Evidence", "check_all", "detectable", "runs_for"]

FINISHED = ("done", "collapsed")


@dataclass(frozen=True)
class Check:
    """A traffic light: `code`, `level` (red, amber, green), a sentence and what it changes."""

    code: str
    level: str
    sentence: str
    effect: str


@dataclass(frozen=True)
class Evidence:
    """What the warnings are computed from.

    `trials` has one row a trial (its last rung) without confirmation runs, `confirmed` counts
    confirmation trials, `effects` is the table of augmentations, `noise` the sd between trials
    that the model found, `flips` the verdicts that change without the collapsed trials.
    """

    study: StudyInfo
    trials: pd.DataFrame
    chosen: Comparable
    effects: pd.DataFrame
    noise: float
    reached: int
    confirmed: int
    flips: tuple[str, ...]


def detectable(effects: pd.DataFrame) -> float:
    """Smallest effect, in points, that this sweep calls better with 80 % power; may be infinite.

    It is the upper quartile over the augmentations that could be told apart (column
    ``detectable``, from `sleepsweep_analysis.power`): three in four of them need no more.
    """
    least = effects.loc[np.isfinite(effects["detectable"]), "detectable"]
    return float(least.quantile(TYPICAL)) if len(least) else float("inf")


def runs_for(effects: pd.DataFrame, trials: int, effect: float) -> int | None:
    """About how many trials like these would make `effect` detectable; None where more do not help.

    Standard errors fall as 1/√n. The number of them that an effect must measure falls too, as
    less is shrunken, so this asks for more trials than are needed rather than for fewer.
    """
    smallest = detectable(effects)
    if not np.isfinite(smallest):
        return None
    return max(trials, int(np.ceil(trials * (smallest / effect) ** 2)))


def adaptive(seen: Evidence) -> Check:
    """ADAPTIVE: the sampler chases good scores and too few trials were drawn by the design."""
    share = float(seen.trials["kind"].isin(["anchor", "design"]).mean())
    if seen.study.sampler == "random":
        return Check("ADAPTIVE", "green", "Policies were drawn at random.", "")
    text = f"The sampler ({seen.study.sampler}) chose policies by their scores; "
    text += f"{share:.0%} of the trials were drawn by the design."
    level = "red" if share < 0.15 else "amber" if share < 0.30 else "green"
    effect = "" if level == "green" else "Effects lean on the model; run more anchors."
    return Check("ADAPTIVE", level, text, effect)


def censored(seen: Evidence) -> Check:
    """CENSORED: most trials were stopped and few anchors reached the end."""
    stopped = float((seen.trials["decision"] == "stop").mean())
    anchors = seen.trials["kind"].isin(["anchor", "design"])
    finished = int((anchors & seen.trials["decision"].isin(FINISHED)).sum())
    text = f"{stopped:.0%} of the trials were stopped early; of those exempt from it, "
    text += f"{finished} finished."
    raised = stopped > 0.5 and finished < 20
    effect = (
        "Final effects are extrapolated from early rungs; no claim about size." if raised else ""
    )
    return Check("CENSORED", "amber" if raised else "green", text, effect)


def no_baseline(seen: Evidence) -> Check:
    """NO_BASELINE: the policy without augmentation, or some singles, were not run."""
    switches = seen.chosen.rows[seen.chosen.switches]
    sizes = switches.sum(axis=1)
    singles = switches[sizes == 1].any(axis=0)
    lacking = [name for name, run in zip(seen.chosen.pool, singles, strict=True) if not run]
    none = bool((sizes == 0).any())
    if none and not lacking:
        text = "The policy without augmentation and every single one were run."
        return Check("NO_BASELINE", "green", text, "")
    parts = [] if none else ["No trial ran without augmentation."]
    if lacking:
        parts.append(f"{len(lacking)} of {len(seen.chosen.pool)} augmentations never ran alone.")
    if sizes.nunique() == 1:
        parts.append("All policies have one size, so absolute effects cannot be told.")
    effect = "Gains over no augmentation, and interactions, are not claimed."
    return Check("NO_BASELINE", "amber", " ".join(parts), effect)


def one_split(seen: Evidence) -> Check:
    """ONE_SPLIT and FEW_BLOCKS: the same people, or fewer than ten blocks, behind everything."""
    splits = int(seen.chosen.rows["split"].nunique())
    blocks = int(seen.chosen.rows["block"].nunique())
    if splits == 1:
        text = f"All trials share one subject split ({blocks} block{'s' * (blocks != 1)})."
        return Check("ONE_SPLIT", "red", text, "The findings are about these subjects only.")
    if blocks < 10:
        text = f"{blocks} blocks over {splits} subject splits."
        return Check("FEW_BLOCKS", "amber", text, "Rank tests over blocks are not run.")
    return Check("FEW_BLOCKS", "green", f"{blocks} blocks over {splits} subject splits.", "")


def underpowered(seen: Evidence) -> Check:
    """UNDERPOWERED: the smallest detectable effect exceeds half a point."""
    smallest = detectable(seen.effects)
    need = runs_for(seen.effects, seen.chosen.n_trials, 0.5)
    if need is None:
        text = "These policies do not show the effect of any one augmentation, whatever its size."
        return Check("UNDERPOWERED", "amber", text, "Draw random sets of several sizes.")
    text = "The smallest effect of one augmentation that this sweep would call better four times "
    text += f"in five is {smallest:.1f} points."
    if smallest <= 0.5:
        return Check("UNDERPOWERED", "green", text, "")
    return Check("UNDERPOWERED", "amber", text, f"Half a point needs about {need:,} such trials.")


def winner(seen: Evidence) -> Check:
    """WINNER: the best of m trials, not confirmed, is partly luck."""
    if seen.confirmed:
        text = f"{seen.confirmed} confirmation trials were run."
        return Check("WINNER", "green", text, "They are reported apart, and are not in the model.")
    luck = expected_maximum(seen.reached) * seen.noise
    text = f"The leaderboard shows the best of {seen.reached} trials and none was confirmed."
    effect = f"Its top score is optimistic by up to {luck:.1f} points; nothing is called best."
    return Check("WINNER", "amber", text, effect)


def incomplete(seen: Evidence) -> Check:
    """INCOMPLETE: trials failed, or are missing, or fail with one augmentation."""
    failed = seen.trials["decision"] == "failed"
    short = max(seen.study.planned_trials - len(seen.trials), 0)
    running = int((seen.trials["decision"] == "continue").sum())
    text = f"Trials failed: {int(failed.sum())}; unfinished: {running}; not started: {short}."
    tied = _tied(seen, failed)
    if tied:
        effect = f"Failures are tied to {', '.join(tied)}: effects may be biased."
        return Check("INCOMPLETE", "red", text, effect)
    if failed.any() or short or running:
        return Check("INCOMPLETE", "amber", text, "The numbers may move when the rest has run.")
    return Check("INCOMPLETE", "green", f"All {len(seen.trials)} trials ended as planned.", "")


def leak_test(seen: Evidence) -> Check:
    """LEAK_TEST: selection or early stopping read the test split."""
    share = float((seen.trials["selected_on"] == "test").mean())
    if share == 0:
        return Check("LEAK_TEST", "green", "Trials were compared on validation subjects.", "")
    text = f"{share:.0%} of the trials were selected or stopped on the test subjects."
    return Check("LEAK_TEST", "red", text, "No score here is a test score; all are optimistic.")


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


def few_stages(seen: Evidence) -> Check:
    """FEW_STAGES: some scores are means over fewer than five stages."""
    scored = seen.chosen.rows[[f"f1.{stage}" for stage in STAGES]].notna().sum(axis=1)
    short = int(((scored > 0) & (scored < len(STAGES))).sum())
    if not short:
        return Check("FEW_STAGES", "green", "Every score is a mean over all five stages.", "")
    text = f"{short} of {len(scored)} scores are means over fewer than five stages."
    return Check("FEW_STAGES", "amber", text, "Such scores are not comparable with the others.")


def placebo(seen: Evidence) -> Check:
    """PLACEBO: an augmentation that does nothing must be found to do nothing."""
    rows = seen.effects[(seen.effects["category"] == "placebo") & (seen.effects["trials_with"] > 0)]
    if rows.empty:
        text = "No trial has run a placebo."
        return Check("PLACEBO", "amber", text, "The method was not checked on this data.")
    low, high = float(rows["low"].iloc[0]), float(rows["high"].iloc[0])
    text = f"The placebo's interval ({low:+.1f} to {high:+.1f}) "
    if low <= 0.0 <= high:
        return Check("PLACEBO", "green", text + "covers 0, as it must.", "")
    return Check("PLACEBO", "red", text + "does not cover 0.", "Distrust effects of this size.")


CHECKS: tuple[Callable[[Evidence], Check], ...] = (
    leak_test, placebo, one_split, adaptive, censored, no_baseline, underpowered, incomplete,
    collapsed, few_stages, winner,
)  # fmt: skip


def check_all(seen: Evidence) -> tuple[Check, ...]:
    """Every check, red first, then amber, then green."""
    order = {"red": 0, "amber": 1, "green": 2}
    return tuple(sorted((check(seen) for check in CHECKS), key=lambda found: order[found.level]))


def _tied(seen: Evidence, failed: pd.Series) -> list[str]:
    """Augmentations whose trials fail more or less often (Fisher's exact test, Holm)."""
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
