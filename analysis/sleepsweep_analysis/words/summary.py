"""The whole report in at most six sentences: what to use, how sure that is, what to run next."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sleepsweep_analysis.warnings import detectable
from sleepsweep_analysis.words.board import confirmation_finding, winner
from sleepsweep_analysis.words.effects import real
from sleepsweep_analysis.words.numbers import clause, interval, listing, plural, signed
from sleepsweep_analysis.words.size import size_finding

if TYPE_CHECKING:
    from sleepsweep_analysis.study import Analysis

__all__ = ["verdict", "verdict_pairs"]


def verdict(analysis: "Analysis") -> list[str]:
    """The verdict as sentences."""
    return [f"{word}: {sentence}" for word, sentence in verdict_pairs(analysis)]


def verdict_pairs(analysis: "Analysis") -> list[tuple[str, str]]:
    """At most six pairs of a word and a sentence; the first is what to use, the last what to run.

    Confirmation comes first. A claim that a warning refuses is not made; its reason is given.
    """
    pairs = [*_use(analysis), ("How many", _size(analysis)), ("How sure", _sure(analysis))]
    red = next((check for check in analysis.checks if check.level == "red"), None)
    if red is not None and red.effect not in analysis.refused.get("ranking", ""):
        pairs.append(("Before relying on this", red.sentence))
    return [*pairs, ("Run next", _next(analysis))]


def _use(analysis: "Analysis") -> list[tuple[str, str]]:
    """One or two pairs: what to use, and what else is known of the augmentations."""
    confirmation, refused = analysis.confirmation, analysis.refused.get("ranking")
    if len(confirmation):
        known = _known(analysis.effects)
        if refused is not None:
            known = f"Nothing is claimed of single augmentations – {clause(refused)}."
        return [("Use", confirmation_finding(confirmation)), ("In random sets", known)]
    if refused is not None:
        return [("Use", f"Nothing can be recommended from this table – {clause(refused)}.")]
    better, worse = (_decided(analysis.effects, word) for word in ("better", "worse"))
    use = _known(analysis.effects)
    if len(better):
        use = f"{listing(better['augmentation'])}; {_most(better, 'adds')} to random sets."
    if worse.empty:
        return [("Use", use)]
    if better.empty:
        use = "No augmentation is shown to help."
    leave = f"{listing(worse['augmentation'])}; {_most(worse, 'changes macro-F1')}."
    return [("Use", use), ("Leave out", leave)]


def _known(effects: pd.DataFrame) -> str:
    """What helps and what hurts in one sentence."""
    frame = real(effects)
    better, worse = (_decided(effects, word) for word in ("better", "worse"))
    parts = [
        f"{listing(found['augmentation'])} {verb if len(found) == 1 else verb[:-1]} "
        f"({_most(found, 'changes macro-F1')})"
        for found, verb in ((better, "helps"), (worse, "hurts")) if len(found)
    ]  # fmt: skip
    if parts:
        return f"{'; '.join(parts)}."
    equal = int((frame["verdict"] == "practically equal").sum())
    tail = f"; {equal} of {len(frame)} make practically no difference" if equal else ""
    return f"No augmentation is shown to help or to hurt{tail}."


def _decided(effects: pd.DataFrame, verdict: str) -> pd.DataFrame:
    """Augmentations of one verdict, the largest effect first."""
    found = real(effects)
    found = found[found["verdict"] == verdict]
    return found.loc[found["effect"].abs().sort_values(ascending=False).index]


def _most(found: pd.DataFrame, verb: str) -> str:
    top = found.iloc[0]
    name = "it" if len(found) == 1 else top["augmentation"]
    most = "" if len(found) == 1 else " most,"
    by = "" if verb == "adds" else " by"
    change = f"{signed(top['effect'])} points ({interval(top['low'], top['high'])})"
    return f"{name} {verb}{most}{by} {change}"


def _size(analysis: "Analysis") -> str:
    if "size" in analysis.refused:
        reason = analysis.refused["size"]
        if reason == analysis.refused.get("ranking"):
            return "Not claimed, for the same reason."
        return f"Not claimed – {clause(reason)}."
    return size_finding(analysis.size_curve)


def _sure(analysis: "Analysis") -> str:
    effects, chosen = analysis.effects, analysis.chosen
    blocks = plural(int(chosen.rows["block"].nunique()), "block")
    source = f"From {plural(chosen.n_trials, 'trial')} in {blocks}"
    if "ranking" in analysis.refused:
        return f"{source}; more of the same kind would not help."
    if effects.empty:
        return f"{source}, no effect can be told."
    half = float(((effects["high"] - effects["low"]) / 2).median())
    least = detectable(effects)
    missed = f"effects under {least:.1f} points" if np.isfinite(least) else "effects of any size"
    return (
        f"{source}, an effect is known to about ±{half:.1f} points (95\u00a0%), and {missed} "
        "would often be missed."
    )


def _next(analysis: "Analysis") -> str:
    red = {check.code for check in analysis.checks if check.level == "red"}
    if "LEAK_TEST" in red:
        return "A sweep of the same pool with selection on validation subjects only."
    if "ranking" in analysis.refused:
        return "A sweep in which nothing but the policies differs between the trials."
    if "ONE_SPLIT" in red:
        return "The same sweep over at least three subject splits."
    more = _more_trials(analysis)
    if more:
        return more
    if analysis.confirmation.empty:
        return (
            "A confirmation of the top policies of the leaderboard and of the policy without "
            "augmentation, on ten fresh blocks; until then no policy is called best."
        )
    if winner(analysis.confirmation) is None:
        return "A confirmation on more fresh blocks: these do not tell the policies from none."
    return "Nothing is needed for this question; the confirmed policy can be used."


def _more_trials(analysis: "Analysis") -> str:
    """A request for more trials, where they are what is lacking."""
    effects, many = real(analysis.effects), analysis.chosen.n_trials
    decided = effects["verdict"].isin(["better", "worse"]).any()
    if detectable(effects) <= 1.0 and decided:
        return ""
    needs = analysis.runs_needed.sort_values("effect", ascending=False)
    if len(needs) and not np.isfinite(needs["trials"].astype(float)).any():
        return "Random sets of several sizes; these policies tell no augmentation apart."
    for effect, need in zip(needs["effect"], needs["trials"], strict=True):
        if need > many and np.isfinite(need):
            word = "point" if effect == 1 else "points"
            return (
                f"About {need - many:,.0f} more random trials, which would make effects of "
                f"{effect:g} {word} visible."
            )
    return ""
