"""How long work tells how far it is, and how the terminal shows it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[int, int, str], None]  # is told: (done, in all, what comes next)


def silent(done: int, total: int, what: str) -> None:
    """Tell nobody."""


@contextmanager
def progress_bar(console: "Console", doing: str) -> Iterator[Progress]:
    """Show a bar while the block runs; what it gives is to be told the progress."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(doing, total=None)

        def report(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{doing}: {what}")

        yield report
