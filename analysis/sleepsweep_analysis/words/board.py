"""Findings about single policies: the leaderboard, and what confirmation runs made of it."""

import pandas as pd

from sleepsweep_analysis.words.numbers import interval, plural, points, shortened, signed

__all__ = ["board_finding", "confirmation_finding", "groups_finding", "winner"]


def winner(confirmation: pd.DataFrame) -> pd.Series | None:
    """The confirmed policy that is shown to be better than none, the highest of them."""
    shown = confirmation[confirmation["verdict"] == "better"]
    return None if shown.empty else shown.sort_values("rank").iloc[0]


def confirmation_finding(confirmation: pd.DataFrame) -> str:
    """What the confirmation runs say."""
    if confirmation.empty:
        return "No confirmation was run: no score in this report is a test score."
    top = confirmation.sort_values("rank").iloc[0]
    score = f"{points(top['score'])} ({interval(top['low'], top['high'], plus=False)})"
    text = (
        f"On {plural(int(top['blocks']), 'fresh block')} and subjects that no selection has read, "
        f"{shortened(top['policy'])} scored {score}"
    )
    best = winner(confirmation)
    if best is None:
        return f"{text}, but no policy is shown to beat the one without augmentation."
    if best["policy"] == top["policy"]:
        gain = f"{signed(top['gain'])} points ({interval(top['gain_low'], top['gain_high'])})"
        return f"{text}: {gain} against no augmentation in the same blocks."
    return f"{text}; shown to beat no augmentation is {shortened(best['policy'])}."


def board_finding(board: pd.DataFrame, reason: str | None) -> str:
    """The best of m and how lucky it is; `reason` why no policy is called best, if so."""
    if board.empty:
        return "No trial reached the last rung, so there is no leaderboard."
    top, many = board.iloc[0], int(board["of"].max())
    lucky = f" That is {signed(-top['optimism'])} points of expected luck." if (
        pd.notna(top["optimism"]) and top["optimism"] >= 0.05
    ) else ""  # fmt: skip
    refused = " No policy is called best." if reason is not None else ""
    return (
        f"The highest of {many} trials scored {points(top['adjusted'])} on the average block; the "
        f"model expects {points(top['expected'])} of its policy "
        f"({interval(top['expected_low'], top['expected_high'], plus=False)}).{lucky}{refused}"
    )


def groups_finding(board: pd.DataFrame) -> str:
    """Whether the top policies can be told apart (Tukey letters)."""
    letters = board.loc[board["group"].astype(str) != "", ["policy", "group"]]
    if len(letters) < 2:
        return "Too few policies ran in several blocks to be compared with each other."
    first = set(str(letters["group"].iloc[0]))
    rest = [name for name, group in letters.itertuples(index=False) if not first & set(group)]
    if not rest:
        return f"The {len(letters)} policies that ran in several blocks cannot be told apart."
    return f"The first differs from {len(rest)} of the {len(letters) - 1} others that can be compared."
