"""8 · Leaderboard: confirmed policies first, then the highest trials and how lucky they were."""

from sleepsweep_analysis.figures.dots import Series, dots
from sleepsweep_analysis.figures.figure import Figure, Key
from sleepsweep_analysis.figures.palette import BLUE, GREY
from sleepsweep_analysis.report.columns import count, number, signed, text, valued
from sleepsweep_analysis.report.section import Block, Section, Table, Text
from sleepsweep_analysis.report.sections.common import refusals
from sleepsweep_analysis.report.sections.verdict import confirmed
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words import board as words
from sleepsweep_analysis.words.numbers import plural, shortened

__all__ = ["build"]


def build(analysis: Analysis) -> Section:
    """The leaderboard of `analysis`."""
    board = analysis.leaderboard
    blocks: list[Block] = list(refusals(analysis, "best", "gain"))
    blocks.append(Text(words.confirmation_finding(analysis.confirmation)))
    if len(analysis.confirmation):
        blocks.append(confirmed(analysis))
    if len(analysis.baselines):
        blocks.append(Text(words.baselines_finding(analysis.baselines)))
    if board.empty:
        blocks.append(Text(words.board_finding(board, None)))
    else:
        blocks += [_scores(analysis), _table(analysis)]
    return Section("leaderboard", "Leaderboard", tuple(blocks))


def _scores(analysis: Analysis) -> Figure:
    board = analysis.leaderboard
    names = [shortened(policy, 110) for policy in board["policy"]]
    scores = board["adjusted"].tolist()
    values, low, high = (board[f"expected{end}"].tolist() for end in ("", "_low", "_high"))
    expected = Series("expected by the model", values, low, high, BLUE)
    seen = Series("score on the average block", scores, scores, scores, GREY, "circle-open")
    return Figure(
        id="leaderboard",
        title="Highest scores, and what the model expects of their policies",
        finding=f"{words.board_finding(board, analysis.refused.get('best'))} "
        f"{words.groups_finding(board)}",
        n=f"{plural(int(board['of'].max()), 'trial')} reached the last rung",
        estimand="macro-F1 of a policy on the average block at the last rung",
        estimator="hollow: recorded score minus its block's offset; filled: hierarchical model",
        table="leaderboard",
        frame=board,
        panels=(dots(names, (seen, expected), "macro-F1 (points)", above=True),),
        key=(Key("score on the average block", GREY, "circle-open"),
             Key("expected by the model", BLUE)),
    )  # fmt: skip


def _table(analysis: Analysis) -> Table:
    return Table(
        name="leaderboard",
        title="Leaderboard",
        frame=analysis.leaderboard,
        columns=(
            count("rank", "#"),
            text("policy", "Policy"),
            text("group", "Group"),
            number("adjusted", "On the average block"),
            valued("expected", "expected_low", "expected_high", "Model expects (95 %)"),
            signed("optimism", "Above expectation"),
            valued("macro_f1", "low", "high", "Recorded (95 % over subjects)"),
            text("trial", "Trial"),
        ),
        note="Policies that share a letter of a group cannot be told apart (Tukey, blocks; only "
        "policies that ran in several blocks have one). Above expectation: the score minus what "
        "the model expects of its policy; at the top of a board that is mostly luck. The interval "
        "over subjects is a delete-one-subject jackknife of the recorded pooled macro-F1.",
    )
