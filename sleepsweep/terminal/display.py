"""What a running sweep looks like in a terminal, in a log, and to a script."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from sleepsweep.folder.blockbest import best_so_far
from sleepsweep.folder.record import TrialRecord

STATES = {
    "done": "[green]finished[/]",
    "stop": "[yellow]stopped early[/]",
    "collapsed": "[red]collapsed[/]",
    "failed": "[red]failed[/]",
    "running": "[cyan]running[/]",
}


class Display(Protocol):
    """An observer with a frame around the sweep, in which it may draw."""

    def running(self) -> AbstractContextManager[Any]:
        """Return the context in which the sweep runs."""

    def trial_started(self, record: TrialRecord) -> None:
        """See `sleepsweep.observer.Observer`."""

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """See `sleepsweep.observer.Observer`."""

    def trial_failed(self, record: TrialRecord) -> None:
        """See `sleepsweep.observer.Observer`."""


class Silent:
    """Shows nothing."""

    def running(self) -> AbstractContextManager[Any]:
        """Return an empty context."""
        return nullcontext()

    def trial_started(self, record: TrialRecord) -> None:
        """Nothing."""

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """Nothing."""

    def trial_failed(self, record: TrialRecord) -> None:
        """Nothing."""


class JsonLines(Silent):
    """A line of JSON on standard output for each rung and each failure, for scripts."""

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """Print the rung without its confusion matrices."""
        brief = {
            # A stage that is absent has no F1, and JSON has no NaN.
            key: None if value != value else value
            for key, value in row.items()
            if key != "confusions"
        }
        trial = {"event": "rung", "trial": record.trial.id, "policy": record.trial.policy_text}
        print(json.dumps({**trial, **brief}), flush=True)

    def trial_failed(self, record: TrialRecord) -> None:
        """Print the first line of the error."""
        print(
            json.dumps({"event": "failed", "trial": record.trial.id, "error": record.error_line}),
            flush=True,
        )


class Lines(Silent):
    """A line for each trial that ended, for logs."""

    def __init__(self, console: Console, planned: int, records: Iterable[TrialRecord]) -> None:
        self._console = console
        self._planned = planned
        self._ended = sum(record.is_finished for record in records)

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """Print a line when this was the trial's last rung."""
        if record.is_finished:
            self._end(record, f"macro-F1 {100 * row['macro_f1']:.1f} at step {row['step']}")

    def trial_failed(self, record: TrialRecord) -> None:
        """Print the first line of the error."""
        self._end(record, record.error_line)

    def _end(self, record: TrialRecord, outcome: str) -> None:
        self._ended += 1
        state = STATES[record.state]
        self._console.print(
            f"{self._ended}/{self._planned} {record.trial.id} {state}: {escape(outcome)}  "
            f"[dim]{_names(record)}[/]",
            soft_wrap=True,
            highlight=False,
        )


DRAWING = 0.05
"""The share of the time that drawing may take: a picture of many trials is drawn less often."""


class LiveTable(Silent):
    """A live picture: progress and time left, the rungs, the best so far, what is running."""

    def __init__(
        self, console: Console, name: str, planned: int, rungs: tuple[int, ...],
        records: Iterable[TrialRecord],
    ) -> None:  # fmt: skip
        self._console = console
        self._name = name
        self._planned = planned
        self._rungs = rungs
        self._records = {record.trial.id: record for record in records}
        self._before = sum(record.is_finished for record in self._records.values())
        self._steps_before = _steps(self._records.values())
        self._started = time.monotonic()
        self._drawn: RenderableType = ""
        self._due = 0.0

    @contextmanager
    def running(self) -> Iterator[Live]:
        """Show rich's live display, which redraws itself twice a second, or more seldom."""
        with Live(
            console=self._console, get_renderable=self.picture, refresh_per_second=2
        ) as live:  # fmt: skip
            try:
                yield live
            finally:
                # What stays on the screen is how it ended.
                self._due = 0.0

    def trial_started(self, record: TrialRecord) -> None:
        """Show the trial."""
        self._records[record.trial.id] = record

    def picture(self) -> RenderableType:
        """The picture as it is now, or, where it takes long to draw, as it was last drawn."""
        began = time.monotonic()
        if began >= self._due:
            self._drawn = self._draw()
            took = time.monotonic() - began
            self._due = began + took / DRAWING
        return self._drawn

    def _draw(self) -> RenderableType:
        records = list(self._records.values())
        parts = [self._progress(records), _states(records), self._rung_table(records)]
        best = _best(records)
        if best is not None:
            parts.append(best)
        parts.append(self._running(records))
        title = f"[bold]{self._name}[/]"
        return Panel(Group(*parts), title=title, title_align="left", border_style="blue")

    def _progress(self, records: list[TrialRecord]) -> RenderableType:
        ended = sum(record.state != "running" for record in records)
        bar = Progress(
            TextColumn("{task.completed:.0f} of {task.total:.0f} trials"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[left]}"),
            expand=True,
        )
        bar.add_task("", total=self._planned, completed=ended, left=self._time_left(ended))
        return bar

    def _time_left(self, ended: int) -> str:
        elapsed, now = time.monotonic() - self._started, ended - self._before
        if now < 2 or ended >= self._planned:
            return f"{duration(elapsed)} so far"
        left = elapsed / now * (self._planned - ended)
        pace = (_steps(self._records.values()) - self._steps_before) / elapsed
        return f"{pace:.1f} steps/s, {duration(elapsed)} so far, about {duration(left)} left"

    def _rung_table(self, records: list[TrialRecord]) -> RenderableType:
        table = Table(expand=True, box=None, header_style="dim")
        for column in ("rung", "step", "reached", "went on", "stopped early", "best macro-F1"):
            table.add_column(column, justify="right")
        for rung, step in enumerate(self._rungs):
            rows = [r.rows[rung] for r in records if r.has_policy and len(r.rows) > rung]
            decisions = Counter(row["decision"] for row in rows)
            best = max((row["macro_f1"] for row in rows), default=float("nan"))
            table.add_row(
                str(rung), str(step), str(len(rows)), str(decisions["continue"]),
                str(decisions["stop"]), f"{100 * best:.1f}" if rows else "–",
            )  # fmt: skip
        return table

    def _next_step(self, record: TrialRecord) -> int:
        return self._rungs[min(len(record.rows), len(self._rungs) - 1)]

    def _running(self, records: list[TrialRecord]) -> RenderableType:
        lines = Text()
        for record in records:
            if record.state == "running":
                lines.append(f"\n{record.trial.id} ", style="cyan")
                lines.append(f"to step {self._next_step(record)}  {_names(record)}", style="dim")
        return lines


def _states(records: list[TrialRecord]) -> RenderableType:
    counts = Counter(record.state for record in records)
    named = [f"{counts[state]} {word}" for state, word in STATES.items() if counts[state]]
    return Text.from_markup(" · ".join(named))


def _steps(records: Iterable[TrialRecord]) -> int:
    """How many optimiser steps were done in all, of trials that do any."""
    return sum(record.rows[-1]["step"] for record in records if record.rows and record.trial.trains)


def _best(records: list[TrialRecord]) -> RenderableType | None:
    # Confirmations are not raced: which of them is ahead in one block says nothing.
    found = best_so_far([record for record in records if not record.trial.test])
    if found is None:
        return None
    best, adjusted = found
    return Text.from_markup(
        f"\n[bold]best so far[/] {100 * adjusted:.1f} macro-F1 on validation subjects, adjusted "
        f"for its block: {_names(best)}"
    )


def _names(record: TrialRecord) -> str:
    if not record.has_policy:
        return record.trial.policy_text
    return " + ".join(member.name for member in record.trial.policy) or "no augmentation"


def duration(seconds: float) -> str:
    """Write so many seconds in hours and minutes, or in minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
