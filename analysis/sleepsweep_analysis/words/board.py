"""Findings about single policies: the leaderboard, and what confirmation runs made of it."""

import pandas as pd

from sleepsweep_analysis.words.numbers import interval, plural, points, shortened, signed

__all__ = ["baselines_finding", "board_finding", "confirmation_finding", "groups_finding", "winner"]


POLICY = 160
"""Letters of a policy in a sentence."""


def winner(confirmation: pd.DataFrame) -> pd.Series | None:
    """The confirmed policy that is shown to be better than none, the highest of them."""
    shown = confirmation[confirmation["verdict"] == "better"]
    return None if shown.empty else shown.sort_values("rank").iloc[0]


def confirmation_finding(confirmation: pd.DataFrame) -> str:
    """What the confirmation runs say."""
    if confirmation.empty:
        return "No confirmation was run: no score in this report is a test score."
    best = winner(confirmation)
    if best is not None:
        score = interval(best["low"], best["high"], plus=False)
        return (
            f"{shortened(best['policy'], POLICY)}: on {plural(int(best['blocks']), 'fresh block')} "
            f"and test subjects it scored {points(best['score'])} ({score}), {_gain(best)} against "
            "no augmentation."
        )
    compared = confirmation[confirmation["gain"].notna()].sort_values("rank")
    if compared.empty:
        return "Nothing confirmed shares a block with no augmentation, so that no gain is known."
    top = compared.iloc[0]
    return (
        f"No policy is confirmed to beat the one without augmentation: the highest, "
        f"{shortened(top['policy'], POLICY)}, changes macro-F1 by {_gain(top)} on "
        f"{plural(int(top['blocks']), 'fresh block')}."
    )


def board_finding(board: pd.DataFrame, reason: str | None) -> str:
    """The best of m and how lucky it is; `reason` why no policy is called best, if so."""
    if board.empty:
        return "No trial reached the last rung, so there is no leaderboard."
    top, many = board.iloc[0], int(board["of"].max())
    lucky = ""
    if pd.notna(top["optimism"]) and top["optimism"] >= 0.05:
        lucky = f" {points(top['optimism'])} points of the score are luck by the model's account."
    refused = " No policy is called best." if reason is not None else ""
    return (
        f"The highest of {many} trials scored {points(top['adjusted'])} on the average block; the "
        f"model expects {points(top['expected'])} of its policy "
        f"({interval(top['expected_low'], top['expected_high'], plus=False)}).{lucky}{refused}"
    )


def baselines_finding(baselines: pd.DataFrame) -> str:
    """What other ways than the policies reach on the same blocks."""
    said = []
    for _, row in baselines.iterrows():
        known = f", {interval(row['low'], row['high'], plus=False)}" if pd.notna(row["low"]) else ""
        said.append(
            f"{str(row['policy']).removeprefix('baseline: ')} {points(row['score'])} "
            f"({plural(int(row['blocks']), 'block')}{known})"
        )
    return f"Beside the ranking, macro-F1 of the baselines: {'; '.join(said)}."


def groups_finding(board: pd.DataFrame) -> str:
    """Whether the top policies can be told apart (Tukey letters)."""
    letters = board.loc[board["group"].astype(str) != "", ["policy", "group"]]
    if len(letters) < 2:
        return "Too few policies ran in several blocks to be compared with each other."
    first = set(str(letters["group"].iloc[0]))
    rest = [name for name, group in letters.itertuples(index=False) if not first & set(group)]
    if not rest:
        return f"The {len(letters)} policies that ran in several blocks cannot be told apart."
    return f"The first differs from {len(rest)} of the {len(letters) - 1} others in such a group."


def _gain(row: pd.Series) -> str:
    return f"{signed(row['gain'])} points ({interval(row['gain_low'], row['gain_high'])})"
