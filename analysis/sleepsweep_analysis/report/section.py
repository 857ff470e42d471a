"""What a section of the report is made of: blocks that one template knows how to draw.

A section is data. A new one is a function that returns a `Section`; neither the template nor the
exports are touched for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from sleepsweep_analysis.figures.figure import Figure
from sleepsweep_analysis.words import numbers

__all__ = [
    "Block", "Bullets", "Column", "Downloads", "Facts", "Heading", "Lights", "Pairs", "Refused",
    "Section", "Table", "Text", "between", "count", "estimated", "number", "p_value", "ranged",
    "share", "signed", "text", "valued", "verdict",
]  # fmt: skip

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Text:
    """A paragraph: a "finding", a "note", a "banner" or "plain"."""

    text: str
    style: str = "finding"
    kind = "text"


@dataclass(frozen=True)
class Refused:
    """A claim that this report does not make, and why."""

    claim: str
    reason: str
    kind = "refused"


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str
    kind = "heading"


@dataclass(frozen=True)
class Pairs:
    """The verdict: a word each, and its sentence."""

    pairs: Sequence[tuple[str, str]]
    kind = "pairs"


@dataclass(frozen=True)
class Facts:
    """Words with their values in a grid; `wide` for long values."""

    pairs: Sequence[tuple[str, str]]
    wide: bool = False
    kind = "facts"


@dataclass(frozen=True)
class Lights:
    """Checks (code, level, sentence, effect) as traffic lights; green ones folded away."""

    checks: Sequence[Any]
    kind = "lights"


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: Sequence[str]
    kind = "bullets"


@dataclass(frozen=True)
class Downloads:
    """The files beside the page; the page fills them in."""

    kind = "downloads"


@dataclass(frozen=True)
class Column:
    """A column: its title, what a row's cell says, and how it is set ("text", "n", "verdict")."""

    title: str
    cell: Callable[[Row], str]
    style: str = "text"


@dataclass(frozen=True)
class Table:
    """A table: `frame` is written whole as CSV; `columns` say what a reader sees of it.

    `name` is the stem of its files; `most` is how many rows the page shows.
    """

    name: str
    title: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    note: str = ""
    most: int = 60
    folded: bool = False
    kind = "table"

    def cells(self, most: int | None = None) -> list[list[str]]:
        """The cells of the first `most` rows (or all) as text."""
        rows = (self.frame.head(most) if most else self.frame).to_dict("records")
        return [[column.cell(cast(Row, row)) for column in self.columns] for row in rows]

    @property
    def shown(self) -> list[list[str]]:
        """The cells of the rows that the page shows."""
        return self.cells(self.most)


Block = Text | Refused | Heading | Pairs | Facts | Lights | Bullets | Downloads | Table | Figure


@dataclass(frozen=True)
class Section:
    """A section: its id in the page's address, its title and its blocks from top to bottom."""

    id: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def figures(self) -> Iterator[Figure]:
        """Its figures."""
        return (block for block in self.blocks if isinstance(block, Figure))

    @property
    def tables(self) -> Iterator[Table]:
        """Its tables."""
        return (block for block in self.blocks if isinstance(block, Table))


def text(key: str, title: str) -> Column:
    """A column of words."""
    return Column(title, lambda row: _words(row[key]))


def verdict(key: str = "verdict", title: str = "Verdict") -> Column:
    """A column of verdicts."""
    return Column(title, lambda row: _words(row[key]), "verdict")


def count(key: str, title: str) -> Column:
    """A column of whole numbers."""
    return Column(title, lambda row: numbers.count(row[key]), "n")


def number(key: str, title: str, decimals: int = 1) -> Column:
    """A column of numbers without a sign."""
    return Column(title, lambda row: _decimal(row[key], decimals), "n")


def signed(key: str, title: str) -> Column:
    """A column of differences."""
    return Column(title, lambda row: numbers.signed(row[key]), "n")


def share(key: str, title: str) -> Column:
    """A column of shares."""
    return Column(title, lambda row: numbers.share(row[key]), "n")


def p_value(key: str, title: str) -> Column:
    """A column of p-values."""
    return Column(title, lambda row: numbers.p_value(row[key]), "n")


def ranged(low: str, high: str, title: str = "95 % interval", *, plus: bool = True) -> Column:
    """A column of intervals."""
    return Column(title, lambda row: numbers.span(row[low], row[high], plus=plus), "n")


def between(low: str, high: str, title: str) -> Column:
    """A column of ranges in a unit of their own."""

    def cell(row: Row) -> str:
        ends = (row[low], row[high])
        return numbers.NOTHING if any(map(pd.isna, ends)) else f"{ends[0]:.3g} to {ends[1]:.3g}"

    return Column(title, cell, "n")


def estimated(key: str, low: str, high: str, title: str) -> Column:
    """A column of differences with their intervals."""
    return Column(title, lambda row: numbers.estimate(row[key], row[low], row[high]), "n")


def valued(key: str, low: str, high: str, title: str) -> Column:
    """A column of numbers without a sign, with their intervals."""

    def cell(row: Row) -> str:
        return f"{numbers.points(row[key])} ({numbers.span(row[low], row[high], plus=False)})"

    return Column(title, cell, "n")


def _words(value: object) -> str:
    missing = value is None or value != value
    return numbers.NOTHING if missing or value == "" else str(value)


def _decimal(value: float, decimals: int) -> str:
    if pd.isna(value):
        return numbers.NOTHING
    return f"{value:,.{decimals}f}".replace("-", "−")
