"""Which policies deserve a confirmation: the best by what the model expects, and the best single.

By ``expected`` and not by score: of many scores the best is partly luck, and a confirmation of the
luckiest would mostly show that.
"""

import pandas as pd

from sleepsweep.results import TableError
from sleepsweep_analysis.comparable import PLACEBO
from sleepsweep_analysis.estimates import effects
from sleepsweep_analysis.policies.leaderboard import scores
from sleepsweep_analysis.study import Analysis

__all__ = ["COLUMNS", "candidates"]

COLUMNS = ["role", "trial", "only", "policy", "expected"]


def candidates(analysis: Analysis, top: int) -> pd.DataFrame:
    """The `top` policies at full length by ``expected``, and the best single augmentation.

    A row a policy: `role`; `trial`, which ran it; `only`, the one member of that trial which is
    meant, or None for all; `policy`, its text; `expected`, in points, NaN where nobody ran it.
    Where no single ran to the end, the best single is the augmentation of the largest effect, as
    the best expected policy has it. Raises `TableError` where no policy reached full length.
    """
    board = _board(analysis)
    best = board[board["real"] > 0].drop_duplicates("policy")
    if best.empty:
        raise TableError(
            "no policy with augmentations has reached full length, so there is nothing to "
            "confirm; launch the sweep again, or extend it."
        )
    leaders = enumerate(best.head(top).iterrows(), start=1)
    rows = [_whole(f"top {place}", row) for place, (_, row) in leaders]
    single = _single(analysis, board)
    same = [row for row in rows if row["policy"] == single["policy"]]
    for row in same:
        row["role"] = f"{row['role']}, {single['role']}"
    found = pd.DataFrame(rows if same else [*rows, single], columns=COLUMNS, dtype=object)
    # As objects: pandas would make NaN of the None that says all members.
    return found.astype({"expected": float})


def _whole(role: str, row: pd.Series) -> dict[str, object]:
    named = {key: row[key] for key in ("trial", "policy", "expected")}
    return {"role": role, "only": None, **named}


def _board(analysis: Analysis) -> pd.DataFrame:
    """Every trial at the last rung, best expected first, with how many real members it has."""
    rows = analysis.chosen.one_a_trial
    real = dict(zip(rows["trial"], rows[analysis.chosen.real_switches].sum(axis=1), strict=True))
    board = scores(analysis.chosen, analysis.posterior)
    board["real"] = board["trial"].map(real)
    return board.sort_values(["expected", "trial"], ascending=[False, True], ignore_index=True)


def _single(analysis: Analysis, board: pd.DataFrame) -> dict[str, object]:
    singles = board[(board["real"] == 1) & (board["size"] == 1)]
    if len(singles):
        return _whole("best single", singles.iloc[0])
    found = effects.augmentations(analysis.chosen, analysis.posterior, analysis.draws)
    found = found[found["category"] != PLACEBO].sort_values("effect", ascending=False)
    rows = analysis.chosen.one_a_trial.set_index("trial")
    for name in found["augmentation"]:
        with_it = board[board["trial"].map(rows[f"on.{name}"])]
        if len(with_it):
            return {"role": "best single", "trial": with_it.iloc[0]["trial"], "only": name,
                    "policy": name, "expected": float("nan")}  # fmt: skip
    raise AssertionError("a policy with real augmentations has one of the pool's")
