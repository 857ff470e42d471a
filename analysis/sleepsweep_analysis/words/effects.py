"""Findings about categories and augmentations: which help, which hurt, and what is open."""

import numpy as np
import pandas as pd

from sleepsweep_analysis.words.numbers import (
    estimate,
    interval,
    largest,
    listing,
    plural,
    share,
    signed,
)

__all__ = [
    "best_finding", "crosses_finding", "family_finding", "new_finding", "real", "screen_finding",
    "stages_finding",
]  # fmt: skip

PLAUSIBLE = 0.05
SURE = 0.95


def real(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that are not the placebo's."""
    return frame[frame["category"] != "placebo"]


def family_finding(frame: pd.DataFrame, key: str) -> str:
    """Finding of one forest: which are better, worse and equal, and how many stay open."""
    frame = real(frame)
    parts = []
    for word in ("better", "worse", "practically equal"):
        names = frame.loc[frame["verdict"] == word, key]
        if len(names):
            parts.append(f"{word}: {listing(names)}")
    if not parts:
        return f"This sweep cannot tell the effect of any {key} from none."
    open_ones = int((frame["verdict"] == "cannot tell").sum())
    rest = f" For {open_ones} of {len(frame)} it cannot tell." if open_ones else ""
    found = "; ".join(parts)
    return f"{found[0].upper()}{found[1:]}.{rest}"


def best_finding(frame: pd.DataFrame, key: str) -> str:
    """Finding of the rank probabilities: which is the largest, or which may be."""
    frame = real(frame)
    if frame.empty:
        return f"No {key} was run."
    top = frame.sort_values("p_best", ascending=False).iloc[0]
    if top["p_best"] >= SURE:
        return f"{top[key]} has the largest effect, with probability {share(top['p_best'])}."
    rivals = frame.loc[frame["p_best"] >= PLAUSIBLE, key]
    if len(rivals) < 2:
        return f"Which {key} has the largest effect, this sweep cannot tell."
    return f"Which {key} has the largest effect is open between {listing(rivals)}."


def new_finding(frame: pd.DataFrame) -> str:
    """Finding of the three questions about each category."""
    frame = real(frame)
    if frame.empty:
        return "No category was run."
    safe = frame.loc[frame["new_low"] > 0, "category"]
    strong = frame.loc[frame["best_low"] > 0]
    members = listing(f"{row.best_member} ({row.category})" for row in strong.itertuples())
    first = f"A best member that helps: {members}. " if len(strong) else (
        "No category has a member of which it is sure that it helps. "
    )  # fmt: skip
    if len(safe):
        return f"{first}An untried member of {listing(safe)} would be expected to help as well."
    return f"{first}Of an untried member of any category, this sweep cannot tell."


def crosses_finding(crosses: pd.DataFrame) -> str:
    """Whether other estimators agree with the model."""
    if crosses.empty:
        return "No cross-check could be run."
    apart = crosses[crosses["apart"].astype(bool)]
    if apart.empty:
        return (
            f"All {plural(len(crosses), 'cross-check')} (hollow marks) agree with the model within "
            "two standard errors."
        )
    names = listing(f"{row.augmentation} ({row.method})" for row in apart.head(6).itertuples())
    more = f" and {len(apart) - 6} more" if len(apart) > 6 else ""
    return (
        f"{len(apart)} of {plural(len(crosses), 'cross-check')} (hollow marks; orange where apart) "
        f"differ from the model by more than two standard errors: {names}{more}. Read both."
    )


def stages_finding(stages: pd.DataFrame) -> str:
    """Which sleep stage an augmentation moves most, among those whose interval excludes 0."""
    if stages.empty:
        return "Scores by stage were not recorded."
    sure = stages[(stages["low"] > 0) | (stages["high"] < 0)]
    if sure.empty:
        return "Which stage an augmentation helps or hurts, this sweep cannot tell."
    top = largest(sure)
    by_stage = sure.groupby("stage")["effect"].agg(lambda part: float(np.abs(part).sum()))
    return (
        f"{len(sure)} of {len(stages)} effects by stage differ from 0, most of all that of "
        f"{top['augmentation']} on {top['stage']}: {signed(top['effect'])} points of its F1 "
        f"({interval(top['low'], top['high'])}). {by_stage.idxmax()} is moved most overall."
    )


def screen_finding(screen: pd.DataFrame) -> str:
    """What the random-forest screen shows beyond the model; it is no ranking."""
    if screen.empty:
        return "No screen was run."
    sure = screen[screen["low"] > 0]
    if sure.empty:
        return "The screen sees no augmentation matter; it cannot tell more."
    top = sure.sort_values("importance", ascending=False).iloc[0]
    return (
        f"The screen sees {plural(len(sure), 'augmentation')} matter, {top['augmentation']} most: "
        f"{estimate(top['importance'], top['low'], top['high'])} points of predicted score are "
        "lost when its column is shuffled. It carries no sign and is no ranking."
    )
