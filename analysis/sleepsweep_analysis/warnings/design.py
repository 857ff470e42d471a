"""What the sweep did not run, or did not run at random."""

import numpy as np

from sleepsweep_analysis.warnings.check import DESIGNED, Check, Evidence, listed

__all__ = ["adaptive", "no_baseline", "one_split", "placebo", "pseudorep"]

FEW = 10


def adaptive(seen: Evidence) -> Check:
    """ADAPTIVE: the sampler chases good scores and too few trials were drawn by the design.

    Red under 15 % and amber under 30 % of trials from the design. A mean over trials that were
    chosen by their scores is then no mean over policies, and raw means are refused.
    """
    share = float(seen.trials["kind"].isin(DESIGNED).mean())
    sampler = seen.study.sampler
    if sampler == "random":
        return Check("ADAPTIVE", "green", "Policies were drawn at random.", "")
    drawn = f"{share:.0%} of the trials were drawn by a design."
    level = "red" if share < 0.15 else "amber" if share < 0.30 else "green"
    if level == "green":
        return Check("ADAPTIVE", "green", drawn, "")
    effect = "Effects lean on the model; raw means are not shown. Run more anchors."
    if not sampler:
        text = f"Nothing says that policies were drawn at random; {drawn}"
        return Check("ADAPTIVE", "amber", text, effect, ("raw",))
    text = f"The sampler ({sampler}) chose policies by their scores; {drawn}"
    return Check("ADAPTIVE", level, text, effect, ("raw",))


def no_baseline(seen: Evidence) -> Check:
    """NO_BASELINE: the policy without augmentation, or some singles, were not run.

    A gain over no augmentation compares with f(none), an interaction f(jk) − f(j) − f(k) + f(none)
    with the singles as well. The placebo alone counts as no augmentation.
    """
    switches = seen.chosen.rows[seen.chosen.real_switches]
    sizes = switches.sum(axis=1)
    singles = switches[sizes == 1].any(axis=0)
    lacking = [name for name, run in zip(seen.chosen.real, singles, strict=True) if not run]
    none = bool((sizes == 0).any())
    if none and not lacking:
        text = "The policy without augmentation and every single one were run."
        return Check("NO_BASELINE", "green", text, "")
    parts = [] if none else ["No trial ran without augmentation."]
    if lacking:
        of = f"{len(lacking)} of {len(seen.chosen.real)} augmentations never ran alone"
        parts.append(f"{of}: {listed(lacking)}.")
    if seen.chosen.rows[seen.chosen.switches].sum(axis=1).nunique() == 1:
        parts.append("All policies have one size, so absolute effects cannot be told.")
    effect = "Gains over no augmentation, and interactions, are not claimed."
    refuses = ("interactions", "gain")
    return Check("NO_BASELINE", "amber", " ".join(parts), effect, refuses)


def one_split(seen: Evidence) -> Check:
    """ONE_SPLIT and FEW_BLOCKS: the same people, or fewer than ten blocks, behind everything.

    With fewer than ten blocks a rank test over blocks can hardly reject anything.
    """
    splits = int(seen.chosen.rows["split"].nunique())
    blocks = int(seen.chosen.rows["block"].nunique())
    if splits == 1:
        text = f"All trials share one subject split ({blocks} block{'s' * (blocks != 1)})."
        return Check("ONE_SPLIT", "red", text, "The findings are about these subjects only.")
    text = f"{blocks} blocks over {splits} subject splits."
    if blocks < FEW:
        return Check("FEW_BLOCKS", "amber", text, "Rank tests over blocks are not run.")
    return Check("FEW_BLOCKS", "green", text, "")


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


def pseudorep(seen: Evidence) -> Check:
    """PSEUDOREP: the same configuration, seed and split were run more than once.

    They are averaged into one trial (`sleepsweep_analysis.reruns`), so they narrow no interval.
    """
    count, sd = seen.chosen.reruns, seen.chosen.rerun_sd
    if not count:
        text = "No configuration was run twice in one block."
        return Check("PSEUDOREP", "green", text, "")
    text = f"{count} runs repeat another one: the same policy, split and seed"
    text += f"; they differ from it by an sd of {sd:.2f} points." if np.isfinite(sd) else "."
    return Check("PSEUDOREP", "amber", text, "They are averaged and count as one trial.")
