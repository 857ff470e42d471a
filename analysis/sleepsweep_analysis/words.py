"""Findings in sentences: what the numbers support, in words, with a way to say "cannot tell"."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sleepsweep_analysis.ranking import EQUAL
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.warnings import detectable, runs_for

__all__ = [
    "board_finding",
    "family_finding",
    "interval",
    "listing",
    "plural",
    "run_finding",
    "rungs_finding",
    "signed",
    "size_finding",
    "verdict",
]  # fmt: skip

PLAUSIBLE = 0.05

SPREAD = 3
"""Differences within blocks (trials minus blocks) that a rank correlation asks for: four trials of
one block."""


def verdict(analysis: Analysis) -> list[str]:
    """The whole report in at most six sentences: what to use, how sure, what to run next."""
    found = [*_use(analysis), size_finding(analysis), _sure(analysis)]
    reds = [check for check in analysis.checks if check.level == "red"]
    if reds:
        found.append(f"Before relying on this: {reds[0].sentence} {reds[0].effect}".strip())
    return [*(sentence for sentence in found if sentence), _next(analysis)][:6]


def _use(analysis: Analysis) -> list[str]:
    frame = analysis.effects
    frame = frame[frame["category"] != "placebo"]
    better, worse = (frame[frame["verdict"] == word] for word in ("better", "worse"))
    if better.empty and worse.empty:
        equal = int((frame["verdict"] == "practically equal").sum())
        tail = f"; {equal} of {len(frame)} make practically no difference" if equal else ""
        return [f"No augmentation is shown to help or to hurt{tail}."]
    sentences = ["No augmentation is shown to help."]
    if not better.empty:
        top = better.iloc[0]
        gain = f"{signed(top['effect'])} points ({interval(top['low'], top['high'])})"
        names = listing(better["augmentation"])
        lead = "it adds" if len(better) == 1 else f"{top['augmentation']} adds the most,"
        sentences = [f"Use {names}: {lead} {gain} of macro-F1 on average over random sets."]
    if not worse.empty:
        low = worse.iloc[-1]
        loss = f"{signed(low['effect'])} points ({interval(low['low'], low['high'])})"
        lead = "it changes" if len(worse) == 1 else f"{low['augmentation']} changes"
        sentences.append(f"Leave out {listing(worse['augmentation'])}: {lead} macro-F1 by {loss}.")
    return sentences


def _sure(analysis: Analysis) -> str:
    half = float(((analysis.effects["high"] - analysis.effects["low"]) / 2).median())
    blocks = len(analysis.posterior.design.blocks)
    least = detectable(analysis.effects)
    missed = f"effects under {least:.1f} points" if np.isfinite(least) else "effects of any size"
    return (
        f"How sure: from {plural(analysis.chosen.n_trials, 'trial')} in {plural(blocks, 'block')}, "
        f"an effect is known to about ±{half:.1f} points (95\u00a0%), and {missed} "
        "would often be missed."
    )


def _next(analysis: Analysis) -> str:
    leak, many = analysis.check("LEAK_TEST"), analysis.chosen.n_trials
    if leak and leak.level == "red":
        return "Run next: the same sweep, with selection on validation subjects."
    if analysis.check("ONE_SPLIT"):
        return "Run next: the same sweep over at least three subject splits."
    decided = analysis.effects["verdict"].isin(["better", "worse"]).any()
    if detectable(analysis.effects) > 1.0 or not decided:
        for effect in (2.0, 1.0, 0.5):
            need = runs_for(analysis.effects, many, effect)
            if need is None:
                return "Run next: random sets of several sizes; these tell no augmentation apart."
            if need > many:
                return (
                    f"Run next: about {need - many} more random trials, which would make effects "
                    f"of {effect:g} {'point' if effect == 1 else 'points'} visible."
                )
    winner = analysis.check("WINNER")
    if winner and winner.level != "green":
        return (
            "Run next: a confirmation of the top policies of section 6 and of the policy without "
            "augmentation, on ten fresh blocks; until then no policy is called best."
        )
    return "Run next: nothing is needed for this question; read the confirmation runs."


def family_finding(frame: pd.DataFrame, key: str) -> str:
    """Finding of one forest: how many are better, worse and undecided, and which leads."""
    parts = []
    for word in ("better", "worse", "practically equal"):
        names = frame.loc[frame["verdict"] == word, key]
        if len(names):
            parts.append(f"{word}: {listing(names)}")
    if not parts:
        return f"This sweep cannot tell the effect of any {key} from none."
    text = f"Against leaving it out, {'; '.join(parts)}"
    undecided = int((frame["verdict"] == "cannot tell").sum())
    text += f"; for the other {undecided} it cannot tell." if undecided else "."
    top, rivals = (
        frame.iloc[int(frame["p_best"].to_numpy().argmax())],
        int((frame["p_best"] >= PLAUSIBLE).sum()),
    )
    if top["p_best"] >= 0.95:
        return f"{text} {top[key]} is the best of them (P = {top['p_best']:.2f})."
    return f"{text} Which is best is open between {rivals}." if rivals > 1 else text


def size_finding(analysis: Analysis) -> str:
    """Finding of the size curve, never more than its intervals support."""
    frame = analysis.size_curve
    first = frame.iloc[0]
    best = frame.iloc[int(frame["difference"].to_numpy().argmax())]
    check = analysis.check("CENSORED")
    if len(frame) < 2 or (check and check.level != "green"):
        return "How many augmentations to use, this sweep cannot tell."
    likely = [int(k) for k in frame.loc[frame["p_best"] >= PLAUSIBLE, "size"]]
    rivals = f"sizes {listing([str(k) for k in likely])} cannot be told apart"
    best_alone = "that is the best size on average" if len(likely) < 2 else rivals
    if best["low"] > 0:
        return (
            f"How many: random sets of {int(best['size'])} score {signed(best['difference'])} "
            f"points ({interval(best['low'], best['high'])}) against sets of "
            f"{int(first['size'])}; {best_alone}."
        )
    worst = frame.iloc[int(frame["difference"].to_numpy().argmin())]
    if worst["high"] < 0 and int(best["size"]) == int(first["size"]):
        return (
            f"How many: few; random sets of {int(worst['size'])} score "
            f"{signed(worst['difference'])} points ({interval(worst['low'], worst['high'])}) "
            f"against sets of {int(first['size'])}."
        )
    if frame["low"].min() >= -EQUAL and frame["high"].max() <= EQUAL:
        return "How many makes practically no difference for random sets."
    return "How many augmentations to use, this sweep cannot tell."


def rungs_finding(analysis: Analysis) -> str:
    """Finding of the rung curves: how well the first rung foretells the last, within blocks."""
    early, last = analysis.posterior.design.early, analysis.posterior.design.last
    if not early:
        return "Trials reported once, so nothing can be said about early scores."
    both = _within_blocks(analysis.chosen.rows, min(early), last)
    if both.empty or float(both.std().min()) < 1e-9:
        return (
            "Too few trials of one block reached the last rung with different scores: how early "
            "scores foretell late ones, this sweep cannot tell."
        )
    rho = float(np.corrcoef(both.rank().to_numpy().T)[0, 1])
    word = "well" if rho > 0.8 else "moderately" if rho > 0.5 else "poorly"
    return (
        f"Within a block, first-rung scores foretell last-rung scores {word} (rank correlation "
        f"{rho:.2f} over {len(both)} trials that reached both)."
    )


def _within_blocks(rows: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """Points at two rungs minus the mean of their block and rung, over trials that reached both.

    Without it the correlation is that of the subject splits. A block with one such trial has
    nothing to compare it with; empty where what is left has fewer than `SPREAD` free differences.
    """
    wide = rows.pivot_table(index=["block", "trial"], columns="rung", values="points")
    wide = wide.reindex(columns=[first, last]).dropna()
    blocks = wide.groupby(level="block")
    wide = wide[blocks[last].transform("size") > 1]
    if len(wide) - wide.index.get_level_values("block").nunique() < SPREAD:
        return wide.iloc[:0]
    return wide - wide.groupby(level="block").transform("mean")


def run_finding(analysis: Analysis) -> str:
    """Finding of the flow: launched, and how each ended."""
    ends = analysis.trials["decision"].value_counts()
    words = {"done": "finished", "stop": "stopped early", "collapsed": "collapsed",
             "failed": "failed", "continue": "unfinished"}  # fmt: skip
    parts = [f"{ends[key]} {word}" for key, word in words.items() if key in ends]
    blocks = analysis.trials["block"].nunique()
    trials = plural(len(analysis.trials), "trial")
    return f"{trials} in {plural(int(blocks), 'block')}: {listing(parts)}."


def board_finding(analysis: Analysis) -> str:
    """Finding of the leaderboard: the best of m, and that it is not confirmed."""
    board = analysis.leaderboard
    top, many = board.iloc[0], int(board["of"].max())
    return (
        f"Best of {many}, not confirmed: optimistic. The top trial scored {top['adjusted']:.1f} on "
        f"the average block; the model expects {top['expected']:.1f} of its policy "
        f"({interval(top['expected_low'], top['expected_high'], plus=False)})."
    )


def signed(value: float) -> str:
    """A number of points with its sign: +1.3, −0.4, 0.0."""
    text = f"{value:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text


def interval(low: float, high: float, *, plus: bool = True) -> str:
    """A 95 % interval in words: ``0.9 to 1.8``."""
    ends = [signed(end) if plus else f"{end:.1f}" for end in (low, high)]
    return f"95\u00a0% interval {ends[0]} to {ends[1]}"


def listing(items: Sequence[object] | pd.Series) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    words = [str(item) for item in items]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def plural(count: int, noun: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
