"""The whole report in at most six sentences: what to use, how sure that is, what to run next."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sleepsweep_analysis.words.board import confirmation_finding, winner
from sleepsweep_analysis.words.effects import real
from sleepsweep_analysis.words.noise import smallest
from sleepsweep_analysis.words.numbers import interval, listing, plural, signed
from sleepsweep_analysis.words.size import size_finding

if TYPE_CHECKING:
    from sleepsweep_analysis.study import Analysis

__all__ = ["verdict", "verdict_pairs"]

MOST = 6


def verdict(analysis: "Analysis") -> list[str]:
    """The verdict as sentences."""
    return [f"{word}: {sentence}" for word, sentence in verdict_pairs(analysis)]


def verdict_pairs(analysis: "Analysis") -> list[tuple[str, str]]:
    """At most six pairs of a word and a sentence; the first is what to use, the last what to run.

    Confirmation comes first. A claim that a warning refuses is not made; its reason is given.
    """
    refused = analysis.refused
    pairs = []
    if len(analysis.confirmation):
        pairs.append(("Confirmed", confirmation_finding(analysis.confirmation)))
    if "ranking" in refused:
        pairs.append(("Use", f"nothing can be recommended from this table. {refused['ranking']}"))
    else:
        pairs += _use(analysis.effects)
    pairs.append(("How many", _size(analysis)))
    pairs.append(("How sure", _sure(analysis)))
    red = next((check for check in analysis.checks if check.level == "red"), None)
    if red is not None and red.effect not in refused.get("ranking", ""):
        pairs.append(("Before relying on this", f"{red.sentence} {red.effect}".strip()))
    return [*pairs[: MOST - 1], ("Run next", _next(analysis))]


def _use(effects: pd.DataFrame) -> list[tuple[str, str]]:
    frame = real(effects)
    better, worse = (frame[frame["verdict"] == word] for word in ("better", "worse"))
    if better.empty and worse.empty:
        equal = int((frame["verdict"] == "practically equal").sum())
        tail = f"; {equal} of {len(frame)} make practically no difference" if equal else ""
        return [("Use", f"no augmentation is shown to help or to hurt{tail}.")]
    use = "no augmentation is shown to help."
    if len(better):
        top = better.sort_values("effect", ascending=False).iloc[0]
        lead = "it adds" if len(better) == 1 else f"{top['augmentation']} adds the most,"
        use = f"{listing(better['augmentation'])}: {lead} {_change(top)} to random sets."
    pairs = [("Use", use)]
    if len(worse):
        low = worse.sort_values("effect").iloc[0]
        lead = "it changes" if len(worse) == 1 else f"{low['augmentation']} changes"
        leave = f"{listing(worse['augmentation'])}: {lead} macro-F1 by {_change(low)}."
        pairs.append(("Leave out", leave))
    return pairs


def _change(row: pd.Series) -> str:
    return f"{signed(row['effect'])} points ({interval(row['low'], row['high'])})"


def _size(analysis: "Analysis") -> str:
    if "size" in analysis.refused:
        return f"not claimed. {analysis.refused['size']}"
    found = size_finding(analysis.size_curve)
    return found[0].lower() + found[1:]


def _sure(analysis: "Analysis") -> str:
    effects, chosen = analysis.effects, analysis.chosen
    half = float(((effects["high"] - effects["low"]) / 2).median())
    blocks = plural(int(chosen.rows["block"].nunique()), "block")
    source = f"from {plural(chosen.n_trials, 'trial')} in {blocks}"
    if "ranking" in analysis.refused:
        return f"{source}; more trials of this kind do not help, because it is not chance that is large."
    least = smallest(effects)
    missed = f"effects under {least:.1f} points" if np.isfinite(least) else "effects of any size"
    return (
        f"{source}, an effect is known to about ±{half:.1f} points (95\u00a0%), and {missed} "
        "would often be missed."
    )


def _next(analysis: "Analysis") -> str:
    red = {check.code for check in analysis.checks if check.level == "red"}
    if "LEAK_TEST" in red:
        return "a sweep of the same pool with selection on validation subjects only."
    if "ranking" in analysis.refused:
        return "a sweep in which nothing but the policies differs between the trials."
    if "ONE_SPLIT" in red:
        return "the same sweep over at least three subject splits."
    more = _more_trials(analysis)
    if more:
        return more
    if analysis.confirmation.empty:
        return (
            "a confirmation of the top policies of the leaderboard and of the policy without "
            "augmentation, on ten fresh blocks; until then no policy is called best."
        )
    if winner(analysis.confirmation) is None:
        return "a confirmation on more fresh blocks: these do not tell the policies from none."
    return "nothing is needed for this question; the confirmed policy can be used."


def _more_trials(analysis: "Analysis") -> str:
    """A request for more trials, where they are what is lacking."""
    effects, many = real(analysis.effects), analysis.chosen.n_trials
    decided = effects["verdict"].isin(["better", "worse"]).any()
    if smallest(effects) <= 1.0 and decided:
        return ""
    needs = analysis.runs_needed.sort_values("effect", ascending=False)
    if len(needs) and not np.isfinite(needs["trials"].astype(float)).any():
        return "random sets of several sizes; these policies tell no augmentation apart."
    for effect, need in zip(needs["effect"], needs["trials"], strict=True):
        if need > many and np.isfinite(need):
            word = "point" if effect == 1 else "points"
            return (
                f"about {need - many:,.0f} more random trials, which would make effects of "
                f"{effect:g} {word} visible."
            )
    return ""
