"""Findings about early scores: how well they foretell late ones."""

import numpy as np
import pandas as pd

from sleepsweep_analysis.words.numbers import interval, share

__all__ = ["fidelity_finding", "flips_finding", "rungs_finding"]


def fidelity_finding(fidelity: pd.DataFrame) -> str:
    """How the first rung ranks the trials, against the last."""
    known = fidelity[np.isfinite(fidelity["rho"].astype(float))]
    if known.empty:
        return (
            "Too few trials of one block reached the last rung: how early scores foretell late "
            "ones, this sweep cannot tell."
        )
    first = known.sort_values("step").iloc[0]
    rho = float(first["rho"])
    word = "well" if rho > 0.8 else "moderately" if rho > 0.5 else "poorly"
    ends = ""
    if np.isfinite(first["rho_low"]) and np.isfinite(first["rho_high"]):
        ends = f", 95\u00a0% interval {first['rho_low']:.2f} to {first['rho_high']:.2f}"
        if first["rho_high"] - first["rho_low"] > 0.6:
            word = "in a way that these few trials cannot tell"
    return (
        f"Within a block, scores after {first['step']:,.0f} steps foretell the last ones {word} "
        f"(rank correlation {rho:.2f}{ends}, {first['trials']:.0f} trials)."
    ).replace("-", "−")


def flips_finding(fidelity: pd.DataFrame) -> str:
    """How many effects have the other sign if only an early rung is read."""
    known = fidelity[np.isfinite(fidelity["flips"].astype(float))]
    if known.empty:
        return "Whether an early rung alone would turn effects round, this sweep cannot tell."
    first = known.sort_values("step").iloc[0]
    if first["flips"] == 0:
        return "Read from the first rung alone, every effect would keep its sign."
    return (
        f"Read from the first rung alone, {share(first['flips'])} of the effects would have the "
        "other sign: rankings by early scores are not rankings by final ones."
    )


def rungs_finding(curves: pd.DataFrame) -> str:
    """Which category starts below and ends above the others.

    `curves` holds category, step, difference (from the block's mean), low, high.
    """
    steps = sorted(curves["step"].unique())
    if len(steps) < 2:
        return "Trials reported once, so nothing can be said about early scores."
    ends = [curves[curves["step"] == step].set_index("category") for step in (steps[0], steps[-1])]
    first, last = ends
    both = first.index.intersection(last.index)
    late = [
        name for name in both
        if first.loc[name, "high"] < last.loc[name, "low"]
    ]  # fmt: skip
    if not late:
        return (
            "No category is shown to start lower than it ends, relative to the others of its block."
        )
    row = max(late, key=lambda name: last.loc[name, "difference"] - first.loc[name, "difference"])
    low, high = last.loc[row, "low"], last.loc[row, "high"]
    return (
        f"Trials with {row} start lower than they end, relative to the others of their block "
        f"(at the end {interval(low, high)}): stopping early is hard on them."
    )
