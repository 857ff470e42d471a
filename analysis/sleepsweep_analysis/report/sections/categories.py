"""3 · Categories: the forest, the rank probabilities, and the three questions."""

import pandas as pd

from sleepsweep_analysis.figures.bars import bars
from sleepsweep_analysis.figures.dots import Series, dots
from sleepsweep_analysis.figures.figure import VERDICT_KEY, Figure, Key
from sleepsweep_analysis.figures.forest import forest
from sleepsweep_analysis.figures.palette import BLUE, ORANGE
from sleepsweep_analysis.report.columns import (
    count,
    estimated,
    p_value,
    ranged,
    share,
    signed,
    text,
    verdict,
)
from sleepsweep_analysis.report.section import Block, Section, Table, Text
from sleepsweep_analysis.report.sections.common import MODEL, counted, distribution, refusals
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words import effects as words
from sleepsweep_analysis.words.numbers import share as percent

__all__ = ["build"]

QUESTIONS = ["category", "effect", "low", "high", "best_member", "best_effect", "best_low",
             "best_high", "new_effect", "new_low", "new_high"]  # fmt: skip


def build(analysis: Analysis) -> Section:
    """The categories of `analysis`."""
    blocks: list[Block] = list(refusals(analysis, "ranking", "final"))
    if "ranking" in analysis.refused:
        blocks.append(_counts(analysis))
    elif analysis.categories.empty:
        blocks.append(Text("No category was run."))
    else:
        blocks += [_forest(analysis), _table(analysis), _ranks(analysis)]
        blocks += [_questions(analysis), _answers(analysis)]
    return Section("categories", "Categories", tuple(blocks))


def _forest(analysis: Analysis) -> Figure:
    frame = analysis.categories
    return Figure(
        id="categories",
        title="What adding a member of a category changes",
        finding=words.family_finding(frame, "category"),
        n=counted(analysis),
        estimand="mean over the members that were run of the change of macro-F1 when one is added "
        f"to a random set ({distribution(analysis)})",
        estimator=f"{MODEL}; 95 % intervals, Holm's correction over categories",
        table="categories",
        frame=frame,
        panels=(forest(frame, frame["category"].tolist()),),
        key=VERDICT_KEY,
    )


def _ranks(analysis: Analysis) -> Figure:
    frame = analysis.categories.sort_values("p_best", ascending=False)
    values = frame["p_best"].tolist()
    panel = bars(
        frame["category"].tolist(), values, [percent(value) for value in values],
        "probability that its effect is the largest", 1.0,
    )  # fmt: skip
    return Figure(
        id="category-ranks",
        title="Which category has the largest effect",
        finding=words.best_finding(frame, "category"),
        n=counted(analysis),
        estimand="probability that the category's mean effect is the largest of all",
        estimator="share of 2,000 joint draws from the model's posterior",
        table="category_ranks",
        frame=frame[["category", "p_best"]],
        panels=(panel,),
    )


def _questions(analysis: Analysis) -> Figure:
    frame = words.real(analysis.categories)
    series = [
        _series(frame, "these members", ("effect", "low", "high"), BLUE, "circle"),
        _series(frame, "best member", ("best_effect", "best_low", "best_high"), ORANGE, "diamond"),
        _series(frame, "a new member", ("new_effect", "new_low", "new_high"), BLUE, "circle-open"),
    ]
    panel = dots(frame["category"].tolist(), series, "change of macro-F1 (points)", zero=True)
    return Figure(
        id="questions",
        title="Three questions about a category, three answers",
        finding=words.new_finding(frame),
        n=counted(analysis),
        estimand="effect of: the mean of the members that were run; the member most often best; a "
        "member that was not run",
        estimator=MODEL,
        table="category_questions",
        frame=frame[QUESTIONS],
        panels=(panel,),
        key=(Key("these members", BLUE), Key("best member", ORANGE, "diamond"),
             Key("a new member", BLUE, "circle-open")),
    )  # fmt: skip


def _series(
    frame: pd.DataFrame, word: str, keys: tuple[str, str, str], colour: str, symbol: str
) -> Series:
    values, low, high = (frame[key].tolist() for key in keys)
    return Series(word, values, low, high, colour, symbol)


def _table(analysis: Analysis) -> Table:
    return Table(
        name="categories",
        title="Categories",
        frame=analysis.categories,
        columns=(
            text("category", "Category"),
            count("members", "Members run"),
            signed("effect", "Effect"),
            ranged("low", "high"),
            share("p_best", "P(best)"),
            p_value("p_holm", "Holm p"),
            verdict(),
        ),
        note="The effect answers for the members that were run, not for others of the category.",
    )


def _answers(analysis: Analysis) -> Table:
    frame = words.real(analysis.categories)
    return Table(
        name="category_questions",
        title="The three answers in numbers",
        frame=frame[QUESTIONS],
        columns=(
            text("category", "Category"),
            estimated("effect", "low", "high", "These members"),
            text("best_member", "Best member"),
            estimated("best_effect", "best_low", "best_high", "Its effect"),
            estimated("new_effect", "new_low", "new_high", "A new member"),
        ),
        folded=True,
    )


def _counts(analysis: Analysis) -> Table:
    return Table(
        name="categories",
        title="What was run of each category",
        frame=analysis.categories,
        columns=(
            text("category", "Category"),
            count("members", "Members run"),
            count("trials_with", "Trials with"),
        ),
    )
