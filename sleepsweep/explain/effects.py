"""What taking something out costs, by stage, with intervals over subjects."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.explain.answers import Answers
from sleepsweep.metrics import STAGES, Confusion, confusion, macro_f1, stage_f1
from sleepsweep.scores import jackknife

ALL = "all"
"""The row of all stages together, whose F1 is macro-F1."""

MEANS = ("probability", "log_odds")
LIMITS = {"probability": (-1.0, 1.0), "log_odds": (-np.inf, np.inf), "f1": (-1.0, 1.0)}
"""Measures of what is lost, and between what it lies."""

Values = NDArray[np.float64]


def effects(answers: Answers) -> pd.DataFrame:
    """Return a row for each stage and thing taken out: what the network loses, above 0, or gains.

    `probability` and `log_odds` are means over epochs of how much lower those of the scored stage
    are, `f1` is how much lower the stage's F1 is; each has its 95 % interval `_low` to `_high`, of
    all epochs pooled with a jackknife over subjects. `changed` is the energy of what
    was changed as a share of the epoch's, `epochs` and `subjects` are those that were scored so. A
    stage that nobody was scored in has no row.
    """
    people = [answers.subjects == name for name in np.unique(answers.subjects)]
    matrices = _matrices(answers, people)
    rows = [
        {"stage": stage, "without": name, **_sizes(answers, mine, what, people), **lost}
        for stage, mine in _chosen(answers)
        for what, name in enumerate(answers.names)
        for lost in [_lost(answers, mine, what, people, matrices, stage)]
    ]
    return pd.DataFrame(rows)


def whole(answers: Answers) -> pd.DataFrame:
    """Return a row a stage: mean `probability` and `f1` of whole epochs, `epochs`, `subjects`."""
    matrix = confusion(answers.stages, answers.predicted[0])
    rows = [
        {
            "stage": stage,
            "probability": float(answers.probability[0][mine].mean()),
            "f1": _f1_of(stage)(matrix),
            "epochs": int(mine.sum()),
            "subjects": len(np.unique(answers.subjects[mine])),
        }
        for stage, mine in _chosen(answers)
    ]
    return pd.DataFrame(rows)


def by_subject(answers: Answers) -> pd.DataFrame:
    """Return a row for each subject, stage and thing taken out: mean losses, epochs."""
    rows = [
        {"subject": str(subject), "stage": stage, "without": name, "epochs": int(both.sum())}
        | {key: float(_drops(answers, key, what)[both].mean()) for key in MEANS}
        for subject in np.unique(answers.subjects)
        for stage, mine in _chosen(answers)
        for both in [mine & (answers.subjects == subject)]
        if both.any()
        for what, name in enumerate(answers.names)
    ]
    return pd.DataFrame(rows)


def _chosen(answers: Answers) -> list[tuple[str, NDArray[np.bool_]]]:
    by_stage = [(name, answers.stages == place) for place, name in enumerate(STAGES)]
    everything = (ALL, np.ones(len(answers.stages), dtype=bool))
    return [(name, mine) for name, mine in (everything, *by_stage) if mine.any()]


def _sizes(
    answers: Answers, mine: NDArray[np.bool_], what: int, people: list[NDArray[np.bool_]]
) -> dict[str, float]:
    return {
        "epochs": int(mine.sum()),
        "subjects": sum(bool((mine & own).any()) for own in people),
        "changed": float(answers.changed[what][mine].mean()),
    }


def _lost(
    answers: Answers, mine: NDArray[np.bool_], what: int, people: list[NDArray[np.bool_]],
    matrices: NDArray[np.int64], stage: str,
) -> dict[str, float]:  # fmt: skip
    f1 = partial(_f1_lost, _f1_of(stage), matrices[:, 0], matrices[:, 1 + what])
    # Who has none of the stage can still have epochs that are taken for it.
    cells = _interval("f1", f1, np.ones(len(people), dtype=bool))
    for key in MEANS:
        drops = np.where(mine, _drops(answers, key, what), 0.0)
        sums = np.array([drops[own].sum() for own in people])
        counts = np.array([(mine & own).sum() for own in people])
        cells |= _interval(key, partial(_mean, sums, counts), counts > 0)
    return cells


def _interval(
    key: str, estimate: Callable[[NDArray[np.bool_]], float], have_part: NDArray[np.bool_]
) -> dict[str, float]:
    """The estimate of everybody who has part, and its interval without each of them."""
    everybody, places = np.arange(len(have_part)), np.flatnonzero(have_part)
    left = np.array([estimate(have_part & (everybody != place)) for place in places])
    found = jackknife(estimate(have_part), left, *LIMITS[key])
    return dict(zip((key, f"{key}_low", f"{key}_high"), found, strict=True))


def _drops(answers: Answers, key: str, what: int) -> Values:
    values = getattr(answers, key).astype(np.float64)
    return np.asarray(values[0] - values[1 + what])


def _mean(sums: Values, counts: NDArray[np.int64], kept: NDArray[np.bool_]) -> float:
    count = counts[kept].sum()
    return float(sums[kept].sum() / count) if count else np.nan


def _f1_lost(
    f1: Callable[[Confusion], float], before: NDArray[np.int64], after: NDArray[np.int64],
    kept: NDArray[np.bool_],
) -> float:  # fmt: skip
    return f1(before[kept].sum(axis=0)) - f1(after[kept].sum(axis=0))


def _f1_of(stage: str) -> Callable[[Confusion], float]:
    if stage == ALL:
        return macro_f1
    place = STAGES.index(stage)
    return lambda matrix: float(stage_f1(matrix)[place])


def _matrices(answers: Answers, people: list[NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Each subject's confusion matrices, whole first: (subject, 1 + what, 5, 5)."""
    return np.stack([
        [confusion(answers.stages[own], told[own]) for told in answers.predicted]
        for own in people
    ])  # fmt: skip
