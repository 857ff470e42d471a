"""Effects of two sweeps beside each other, and their differences."""

from collections.abc import Mapping

import pandas as pd

from sleepsweep_analysis.figures.dots import Series, dots
from sleepsweep_analysis.figures.figure import VERDICT_KEY, Figure, Key
from sleepsweep_analysis.figures.forest import forest
from sleepsweep_analysis.figures.palette import BLUE, GREEN, ORANGE, PINK, VERMILLION
from sleepsweep_analysis.report.columns import estimated, p_value, text, verdict
from sleepsweep_analysis.report.comparison.statistics import agreement, differences
from sleepsweep_analysis.report.section import Block, Refused, Section, Table, Text
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.warnings import CLAIMS
from sleepsweep_analysis.words import comparison as words
from sleepsweep_analysis.words.numbers import plural, shortened

__all__ = ["effects_section"]

MARKS = ((BLUE, "circle"), (ORANGE, "diamond"), (GREEN, "square"), (PINK, "triangle-up"),
         (VERMILLION, "star"))  # fmt: skip
TITLES = {"augmentation": "Augmentations", "category": "Categories"}
ONE = {
    "augmentation": "mean change of macro-F1 when it is added to a random set of its sweep",
    "category": "mean change of macro-F1 when a member is added to a random set of its sweep",
}


def effects_section(named: Mapping[str, Analysis], key: str) -> Section:
    """Effects by `key` of every sweep; differences are those from the first."""
    blocks: list[Block] = [
        Refused(f"{CLAIMS['ranking']}, in {name}", analysis.refused["ranking"])
        for name, analysis in named.items() if "ranking" in analysis.refused
    ]  # fmt: skip
    kept = {name: one for name, one in named.items() if "ranking" not in one.refused}
    if len(kept) < 2:
        blocks.append(Text("Fewer than two sweeps have effects that could be compared."))
    else:
        frames = {name: _frame(one, key) for name, one in kept.items()}
        blocks += _compared(frames, key)
    return Section(f"{key}s" if key != "category" else "categories", TITLES[key], tuple(blocks))


def _frame(analysis: Analysis, key: str) -> pd.DataFrame:
    return analysis.effects if key == "augmentation" else analysis.categories


def _compared(frames: Mapping[str, pd.DataFrame], key: str) -> list[Block]:
    (first, reference), *rest = frames.items()
    blocks: list[Block] = [_beside(frames, key)]
    for n, (name, frame) in enumerate(rest, 1):
        found = differences(reference, frame, key)
        if len(found):
            blocks += [_difference(found, key, first, name, n), _table(found, key, first, name, n)]
        blocks.append(Text(words.only_finding(reference, frame, key, first, name), "note"))
    return blocks


def _beside(frames: Mapping[str, pd.DataFrame], key: str) -> Figure:
    """Every name of any sweep, with the effect of each sweep that has it."""
    names = list(dict.fromkeys(name for frame in frames.values() for name in frame[key]))
    series, keys = [], []
    for (sweep, frame), (colour, symbol) in zip(frames.items(), MARKS * 9, strict=False):
        rows = frame.set_index(key).reindex(names)
        values, low, high = (rows[column].tolist() for column in ("effect", "low", "high"))
        series.append(Series(sweep, values, low, high, colour, symbol))
        keys.append(Key(sweep, colour, symbol))
    table = pd.concat([frame.assign(sweep=sweep) for sweep, frame in frames.items()])
    first, *others = frames.values()
    found = [differences(first, frame, key) for frame in others]
    return Figure(
        id=f"{key}-beside",
        title="Effects side by side",
        finding=words.agreement_finding([agreement(_real(one, key)) for one in found],
                                        list(frames), key),
        n="; ".join(f"{sweep}: {len(frame)}" for sweep, frame in frames.items()),
        estimand=ONE[key],
        estimator="hierarchical model of each sweep; 95 % intervals",
        table=f"{key}_effects",
        frame=table[["sweep", key, "effect", "low", "high", "se", "verdict"]],
        panels=(dots(names, series, "change of macro-F1 (points)", zero=True),),
        key=tuple(keys),
    )  # fmt: skip


def _real(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    return frame[frame[key].astype(str).str.lower() != "placebo"]


def _difference(found: pd.DataFrame, key: str, first: str, name: str, n: int) -> Figure:
    return Figure(
        id=f"{key}-difference-{n}",
        title=f"Difference: {name} minus {first}",
        finding=words.difference_finding(found, key, first, name),
        n=f"{plural(len(found), 'effect')} that both sweeps have",
        estimand=f"{ONE[key]}: difference of the two",
        estimator="difference of the two estimates; standard errors added as of independent "
        "sweeps; Holm's correction",
        table=f"{key}_differences_{n}",
        frame=found,
        panels=(forest(found, found[key].tolist(), axis="difference (points)"),),
        key=(Key(f"higher in {shortened(name, 40)}", BLUE),
             Key(f"lower in {shortened(name, 40)}", VERMILLION, "diamond"), *VERDICT_KEY[2:]),
        note="Sweeps that share subjects or data are not "
        "independent: then the intervals are too wide where their noise is shared.",
    )  # fmt: skip


def _table(found: pd.DataFrame, key: str, first: str, name: str, n: int) -> Table:
    return Table(
        name=f"{key}_differences_{n}",
        title=f"{name} minus {first}",
        frame=found,
        columns=(
            text(key, key.capitalize()),
            estimated("first", "first_low", "first_high", first),
            estimated("second", "second_low", "second_high", name),
            estimated("effect", "low", "high", "Difference"),
            p_value("p_holm", "Holm p"),
            verdict(),
        ),
    )
