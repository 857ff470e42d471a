"""What a section of the report is made of: blocks that one template knows how to draw.

A section is data. A new one is a function that returns a `Section`; neither the template nor the
exports are touched for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from sleepsweep_analysis.figures.figure import Figure
from sleepsweep_analysis.report.columns import Column, Row

__all__ = [
    "Block", "Bullets", "Downloads", "Facts", "Heading", "Lights", "Pairs", "Refused", "Section",
    "Table", "Text",
]  # fmt: skip


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
