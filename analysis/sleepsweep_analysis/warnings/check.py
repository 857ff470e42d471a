"""A traffic light, what it is computed from, and the claims that it takes away."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from sleepsweep.results import StudyInfo
from sleepsweep_analysis.comparable import Comparable

__all__ = ["CLAIMS", "DESIGNED", "FINISHED", "Check", "Evidence", "listed", "refused"]

CLAIMS = {
    "ranking": "which augmentations cause a better score",
    "size": "how many augmentations to use",
    "interactions": "which augmentations help or hinder each other",
    "gain": "the gain over no augmentation",
    "best": "which policy is best",
    "final": "effects at full length, but for what early rungs foretell",
    "raw": "means of raw scores",
}
"""The claims that a warning can refuse, and each in words."""

FINISHED = ("done", "collapsed")
DESIGNED = ("anchor", "design")
SHOWN = 6


@dataclass(frozen=True)
class Check:
    """A traffic light: `code`, `level` (red, amber, green), a sentence and what it changes.

    `refuses` are the `CLAIMS` that it takes away.
    """

    code: str
    level: str
    sentence: str
    effect: str
    refuses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What the warnings are computed from.

    `trials` has one row a trial (its last rung) without baselines and confirmation runs, `all` all
    rows of the table, `subjects` its confusion matrices; `confirmed` counts confirmation trials,
    `effects` is the table of augmentations, `crosschecks` that of the other estimators
    (augmentation, method, effect, low, high, n, apart), `noise` the sd between trials that the
    model found, `reached` how many trials reached the last rung, `flips` the verdicts that change
    without the collapsed.
    """

    study: StudyInfo
    trials: pd.DataFrame
    all: pd.DataFrame
    subjects: pd.DataFrame
    chosen: Comparable
    effects: pd.DataFrame
    crosschecks: pd.DataFrame
    noise: float
    reached: int
    confirmed: int
    flips: tuple[str, ...]


def refused(checks: Iterable[Check]) -> dict[str, str]:
    """Why each refused claim is refused: the effect of the first check that takes it away."""
    reasons: dict[str, str] = {}
    for check in checks:
        for claim in check.refuses:
            reasons.setdefault(claim, check.effect)
    return reasons


def listed(names: Iterable[object]) -> str:
    """The names in one phrase, cut where there are many."""
    words = [str(name) for name in names]
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more
