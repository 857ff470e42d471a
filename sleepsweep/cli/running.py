"""What every command does that runs trials: the sweep, its tracking and its report meet here."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sleepsweep.cli.ranking import report_to
from sleepsweep.exitstatus import COMPLETE, INCOMPLETE, TRIALS_FAILED

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.observer import Observer
    from sleepsweep.plan import Plan
    from sleepsweep.terminal.display import Display


def run_plan(
    plan: "Plan", folder: "SweepFolder", console: "Console", *, json: bool, again: str | None = None
) -> int:
    """Run what is left of a plan, write the report, and return the exit status.

    `again` is the command that goes on after an early end, if it is not the launch.
    """
    from json import dumps

    from sleepsweep.folder.studyfolder import command
    from sleepsweep.rayenv import set_ray

    set_ray(plan.spec.resources.cluster)
    from sleepsweep.sweep import run_sweep
    from sleepsweep.terminal.summary import pointer
    from sleepsweep.tracking import Tracker

    tell, display = _noting(folder, console), _display(plan, folder, console, json=json)
    manifest = folder.read_manifest()
    uri = plan.spec.tracking.uri
    tracker = Tracker(folder.path, manifest, uri)
    tracker.catch_up(folder.records())
    folder.log.launched(command())
    observers: list[Observer] = [folder, folder.log, tracker, display, *_events(plan, folder)]
    plan = _settled(plan, tell)
    with display.running():
        complete = run_sweep(plan, folder, observers, tell=tell)
    folder.log.ended(complete=complete)
    page = report_to(folder.path, tracker, console)
    _print_pareto(plan, folder, console)
    # A file of one's own gets through in the end; a server, or whoever stopped the sweep, may not.
    unsent = tracker.close(complete=complete, renewed=complete and uri is None)
    console.print(pointer("MLflow", uri or f"sleepsweep ui {folder.path}"))
    if unsent:
        unsent += f". Nothing is lost; send it later: {sync_command(folder.path, uri)}"
    _print_failures(folder, unsent, complete=complete, again=again or folder.to_go_on())
    failed = any(record.state == "failed" for record in plan.own(folder.records()))
    status = INCOMPLETE if not complete else TRIALS_FAILED if failed else COMPLETE
    if json:
        end = {"event": "end", "status": status, "sweep": str(folder.path), "report": page}
        print(dumps(end), flush=True)
    return status


def _settled(plan: "Plan", tell: "Callable[[str], None]") -> "Plan":
    """The plan with a number for ``resources.pack``, which may have to be measured."""
    if plan.spec.resources.pack != "auto":
        return plan
    from sleepsweep.packing.measuring import settled

    plan, found = settled(plan)
    if found is not None:
        tell(
            f"Packs of {found.best.trials} trials: so many train {found.best.samples_per_s:,.0f} "
            f"epochs a second together, and one {found.measured[0].samples_per_s:,.0f}."
        )
    return plan


def _noting(folder: "SweepFolder", console: "Console") -> "Callable[[str], None]":
    """What takes in a sentence on the run: the log and the terminal."""
    from sleepsweep.terminal.summary import note

    def tell(sentence: str) -> None:
        folder.log.noted(sentence)
        console.print(note(sentence))

    return tell


def _events(plan: "Plan", folder: "SweepFolder") -> "list[Observer]":
    if not plan.spec.tracking.tensorboard:
        return []
    from sleepsweep.tracking.eventfiles import SweepEvents

    return [SweepEvents(folder.path)]


def _display(plan: "Plan", folder: "SweepFolder", console: "Console", *, json: bool) -> "Display":
    from sleepsweep.terminal import display

    if json:
        return display.JsonLines()
    if console.quiet:
        return display.Silent()
    records = plan.own(folder.records())
    if not console.is_terminal:
        return display.Lines(console, len(plan.slots), records)
    return display.LiveTable(console, plan.title, len(plan.slots), plan.rungs, records)


def _print_pareto(plan: "Plan", folder: "SweepFolder", console: "Console") -> None:
    from sleepsweep.search.pareto import pareto_rows, write_pareto
    from sleepsweep.terminal.summary import pareto_table, pointer

    objectives = plan.spec.objectives
    rows = pareto_rows(folder.records(), objectives, plan.spec.searched)
    if len(objectives) > 1 and rows:
        console.print(pareto_table(rows, objectives))
        console.print(pointer("Pareto", str(write_pareto(rows, folder.path))))


def _print_failures(
    folder: "SweepFolder", unsent: str | None, *, complete: bool, again: str
) -> None:
    from sleepsweep.terminal.summary import troubles

    for line in troubles(folder, unsent, complete=complete, again=again):
        print(f"sleepsweep: {line}", file=sys.stderr)


def sync_command(sweep: Path, uri: str | None) -> str:
    """Return the command that sends a sweep to the MLflow at `uri`, or to the sweep's own file."""
    given = [] if uri is None else ["--tracking-uri", uri]
    return shlex.join(["sleepsweep", "sync", str(sweep), *given])
