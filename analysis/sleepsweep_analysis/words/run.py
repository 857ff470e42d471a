"""Findings about what was run: how it ended, whether the mix drifted, what always ran together."""

import numpy as np
import pandas as pd

from sleepsweep_analysis.words.numbers import largest, listing, plural, share

__all__ = ["OUTCOMES", "alias_finding", "drift_finding", "flow_finding", "map_finding"]

OUTCOMES = {"done": "finished", "stop": "stopped early", "collapsed": "collapsed",
            "failed": "failed", "continue": "unfinished"}  # fmt: skip

CLOSE = 0.7


def flow_finding(trials: pd.DataFrame) -> str:
    """Launched, and how each ended."""
    ends = trials["decision"].value_counts()
    parts = [f"{ends[key]} {word}" for key, word in OUTCOMES.items() if key in ends]
    blocks = plural(int(trials["block"].nunique()), "block")
    return f"{plural(len(trials), 'trial')} in {blocks}: {listing(parts)}."


def drift_finding(inclusion: pd.DataFrame) -> str:
    """Whether the mix of augmentations changed while the sweep ran.

    `inclusion` holds augmentation, part, share, trials. First and last thirds are compared with a
    two-proportion test at a level shared out over the augmentations (about 3 standard errors).
    """
    parts = sorted(inclusion["part"].unique())
    if len(parts) < 2:
        return "Too few trials to see whether the mix of augmentations changed while it ran."
    third = max(len(parts) // 3, 1)
    first, last = (_pooled(inclusion, chosen) for chosen in (parts[:third], parts[-third:]))
    middle = (first["share"] + last["share"]) / 2
    se = np.sqrt(middle * (1 - middle) * (1 / first["trials"] + 1 / last["trials"]))
    change = last["share"] - first["share"]
    moved = change[(se > 0) & (change.abs() > 3 * se)]
    if moved.empty:
        return "The mix of augmentations stayed the same while the sweep ran, within chance."
    name = str(moved.abs().idxmax())
    return (
        f"The mix changed while the sweep ran, most for {name}: in {share(first['share'][name])} "
        f"of the first trials, in {share(last['share'][name])} of the last. A sampler that chases "
        "good scores does this, and so does a plan that runs its parts in turn."
    )


def map_finding(reached: pd.DataFrame) -> str:
    """Whether those that got far are another mix than those that were stopped.

    `reached` holds augmentation, far and short (shares with it), and the counts n_far and n_short.
    """
    if reached.empty or not reached["n_short"].iloc[0]:
        return "Every trial reached the last rung, so the two orders hold the same trials."
    row = largest(reached.assign(apart=reached["far"] - reached["short"]), "apart")
    return (
        f"{row['n_far']} trials reached the last rung. {row['augmentation']} is in "
        f"{share(row['far'])} of them and in {share(row['short'])} of the others: the finished "
        "trials are a selection by score, so their plain means are not compared."
    )


def alias_finding(switches: pd.DataFrame) -> str:
    """Which two augmentations were hardest to tell apart, from who ran with whom.

    `switches` has a row a trial and a Boolean column an augmentation.
    """
    varying = switches.loc[:, switches.nunique() > 1].astype(float)
    constant = [name for name in switches if name not in varying]
    lost = f" {listing(constant)} never varied: nothing can be told of them." if constant else ""
    if varying.shape[1] < 2:
        return f"Too few augmentations varied to be confused with each other.{lost}"
    corr = varying.corr().to_numpy(copy=True)
    np.fill_diagonal(corr, 0.0)
    first, second = np.unravel_index(np.abs(corr).argmax(), corr.shape)
    pair = f"{varying.columns[first]} and {varying.columns[second]}"
    r = corr[first, second]
    if abs(r) > 1 - 1e-9:
        how = "always ran together" if r > 0 else "never ran together, and one always ran"
        return f"{pair} {how}: their effects cannot be told apart.{lost}"
    much = "are hard to tell apart" if abs(r) > CLOSE else "are the closest pair"
    return (
        f"{pair} {much}: their presence is correlated by {r:+.2f} over the trials "
        f"(±1: not to be told apart).{lost}"
    ).replace("-", "−")


def _pooled(inclusion: pd.DataFrame, parts: list[int]) -> pd.DataFrame:
    mine = inclusion[inclusion["part"].isin(parts)]
    mine = mine.assign(hits=mine["share"] * mine["trials"])
    sums = mine.groupby("augmentation")[["hits", "trials"]].sum()
    return sums.assign(share=sums["hits"] / sums["trials"])
