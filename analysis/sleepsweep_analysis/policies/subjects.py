"""The best trial against no augmentation, subject by subject, on the same people."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.results import Confusion, ResultsTable, macro_f1
from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.policies.jackknife import jackknife_difference

__all__ = ["Comparison", "compare_subjects"]

COLUMNS = ["subject", "best", "baseline", "difference", "epochs"]
CONTRAST = ["best_trial", "baseline_trial", "block", "best_policy", "difference", "low", "high",
            "subjects"]  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """`subjects` has a row a subject, `contrast` one row, `confusions` pooled (5, 5) matrices.

    All are empty where no block has both a finished trial with augmentations and one without.
    """

    subjects: pd.DataFrame
    contrast: pd.DataFrame
    confusions: dict[str, NDArray[np.int64]]


def compare_subjects(table: ResultsTable, chosen: Comparable, board: pd.DataFrame) -> Comparison:
    """Compare the leaderboard's best trial that has a baseline in its block with that baseline."""
    last = chosen.last or 0
    none = chosen.rows[(chosen.rows["rung"] == last) & (chosen.rows["size"] == 0)]
    baselines = dict(zip(none["block"], none["trial"].astype(str), strict=True))
    paired = board[board["block"].isin(baselines) & (board["size"] > 0)]
    if paired.empty:
        return _alone(table, board, last)
    top = paired.iloc[0]
    best = table.confusions(str(top["trial"]), last)
    baseline = table.confusions(baselines[top["block"]], last)
    people = sorted(set(best) & set(baseline))
    if not people:
        return _alone(table, board, last)
    found = jackknife_difference([(best[p], baseline[p]) for p in people])
    contrast = [str(top["trial"]), baselines[top["block"]], int(top["block"]), str(top["policy"]),
                found.value, found.low, found.high, found.subjects]  # fmt: skip
    return Comparison(
        subjects=pd.DataFrame([_row(p, best[p], baseline[p]) for p in people], columns=COLUMNS),
        contrast=pd.DataFrame([contrast], columns=CONTRAST),
        confusions={"best": _sum(best), "baseline": _sum(baseline)},
    )


def _alone(table: ResultsTable, board: pd.DataFrame, last: int) -> Comparison:
    """No pair: the best trial's matrix alone, where it has one."""
    found = table.confusions(str(board.iloc[0]["trial"]), last) if len(board) else {}
    confusions = {"best": _sum(found)} if found else {}
    return Comparison(pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=CONTRAST), confusions)


def _row(subject: str, best: Confusion, baseline: Confusion) -> list[object]:
    scores = [100.0 * macro_f1(matrix) for matrix in (best, baseline)]
    return [subject, *scores, scores[0] - scores[1], int(best.sum())]


def _sum(matrices: dict[str, Confusion]) -> NDArray[np.int64]:
    return np.asarray(np.sum(list(matrices.values()), axis=0), dtype=np.int64)
