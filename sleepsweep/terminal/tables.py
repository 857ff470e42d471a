"""How a table looks that is printed in the terminal."""

from collections.abc import Collection

from rich.console import Group
from rich.table import Table
from rich.text import Text


def section(heading: str, *content: Table | Text) -> Group:
    """A heading in bold, and what stands under it."""
    return Group(Text(f"\n{heading}", style="bold"), *content)


def table(*columns: str, first: str | None = None, words: Collection[str] = ()) -> Table:
    """An empty table of numbers; its `first` column, and those in `words`, hold words."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    if first is not None:
        made.add_column(first)
    for column in columns:
        made.add_column(column, justify="left" if column in words else "right")
    return made
