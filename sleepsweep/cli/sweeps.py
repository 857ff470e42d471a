"""The commands that run a sweep: here the sweep, its tracking and its report meet."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import (
    COMPLETE,
    INCOMPLETE,
    TRIALS_FAILED,
    Quiet,
    app,
    console_for,
    interruptible,
)
from sleepsweep.cli.reports import report_to
from sleepsweep.cli.sync import TRACK_LATER, sync_command

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.display import Display
    from sleepsweep.plan import Plan
    from sleepsweep.spec import SweepSpec
    from sleepsweep.sweepfolder import SweepFolder

SpaceFile = Annotated[Path, typer.Argument(metavar="SPACE.yaml", help="The search space.")]
SweepPath = Annotated[Path, typer.Argument(metavar="SWEEP", help="A sweep's folder: runs/NAME.")]
Data = Annotated[Path | None, typer.Option(help="Recordings to use instead of the file's.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key; repeatable.")
]
Preset = Annotated[str | None, typer.Option(help="One of the file's presets.")]
Trials = Annotated[int | None, typer.Option(help="How many trials are drawn.")]
Seed = Annotated[int | None, typer.Option(help="The sweep's seed.")]
TrackingUri = Annotated[str | None, typer.Option(help="An MLflow server; default: a file.")]
Out = Annotated[Path | None, typer.Option(help="The sweep's folder; default: runs/NAME.")]
Json = Annotated[bool, typer.Option("--json", help="Print lines of JSON, for scripts.")]


@app.command()
def check(
    space: SpaceFile, data: Data = None, settings: Settings = None, preset: Preset = None,
    trials: Trials = None, seed: Seed = None,
) -> None:  # fmt: skip
    """Validate a search space, its presets and its overrides; run nothing.

    A store is opened as a launch would; other recordings are not read.
    """
    from sleepsweep.plan import read_past
    from sleepsweep.summary import search_notes

    spec = read_space(space, data, settings, preset, trials, seed)
    people = _people(spec)
    notes = search_notes(spec, read_past(spec, None))
    pool, blocks = spec.augmentations, spec.split.blocks
    designs = ", ".join(
        f"{item.name} ({item.design.count(pool, blocks)})" for item in spec.search.designs
    )
    baselines = ", ".join(spec.search.baselines)
    print(f"{space}: valid. {spec.search.trials} drawn trials, ", end="")
    print(f"designs: {designs or 'no'}; baselines: {baselines or 'no'}; ", end="")
    print(f"blocks: {spec.split.blocks}; rungs at steps {', '.join(map(str, spec.rungs))}.")
    print(people)
    for sentence in notes:
        print(sentence)


@app.command()
def launch(
    space: SpaceFile, data: Data = None, settings: Settings = None, preset: Preset = None,
    trials: Trials = None, seed: Seed = None, tracking_uri: TrackingUri = None, out: Out = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete what is there.")] = False,
    track_later: Annotated[
        bool, typer.Option("--track-later", help="Start even if the MLflow server is down.")
    ] = False,
    quiet: Quiet = False, json: Json = False,
) -> None:  # fmt: skip
    """Run a sweep, or continue the one in its folder, and write the report."""
    from dataclasses import replace

    from rich.text import Text

    from sleepsweep import summary
    from sleepsweep.plan import make_plan, read_past
    from sleepsweep.progress import progress_bar
    from sleepsweep.sweepfolder import SweepFolder
    from sleepsweep.tracking import check_server

    spec = read_space(space, data, settings, preset, trials, seed, tracking_uri)
    # Workers run in folders of their own: a relative path would mean another place there.
    folder = SweepFolder((out or Path("runs") / spec.name).resolve())
    if not fresh:
        total = folder.total_trials(spec.search.trials)
        search = spec.search.model_copy(update={"trials": total})
        spec = spec.model_copy(update={"search": search})
    folder.check_usable(spec.model_dump(mode="json"), fresh=fresh)
    if not track_later:
        check_server(spec.tracking.uri, hint=TRACK_LATER)
    past = read_past(spec, folder.path)
    console = console_for(quiet=quiet or json)
    console.print(Text(f"Preparing data: {spec.data.root or spec.data.source}"))
    with progress_bar(console, "Preparing") as report_progress:
        made = make_plan(spec, report_progress)
    plan = replace(made, past=past)
    console.print(summary.data_summary(plan))
    for sentence in summary.search_notes(plan.spec, past):
        console.print(Text(sentence))
    with folder.locked(), interruptible(folder):
        manifest = plan.manifest()
        folder.check_usable(manifest["spec"], fresh=fresh)
        folder.begin(manifest, fresh=fresh)
        status = run_plan(plan, folder, console, json=json)
    raise typer.Exit(status)


@app.command()
def ui(sweep: SweepPath, port: Annotated[int, typer.Option(min=1, max=65535)] = 5000) -> None:
    """Open MLflow's pages on a sweep, on this machine only."""
    from sleepsweep.tracking import serve_ui, ui_address

    print(f"The sweep's runs: {ui_address(sweep, port)}\nCtrl-C ends the server.", flush=True)
    raise typer.Exit(serve_ui(sweep, port))


def _people(spec: "SweepSpec") -> str:
    if spec.data.kind != "store":
        return "The recordings were not read: a launch does that."
    from sleepsweep.plan import make_plan

    counts = make_plan(spec).subject_counts()
    return f"Subjects: {', '.join(f'{part} {count}' for part, count in counts.items())}."


def read_space(
    space: Path, data: Path | None, settings: list[str] | None, preset: str | None,
    trials: int | None, seed: int | None, tracking_uri: str | None = None,
) -> "SweepSpec":  # fmt: skip
    """Return the search space in the file `space` with what the options change."""
    from sleepsweep.specfile import read_settings, read_spec

    options = {"search.trials": trials, "seed": seed, "tracking.uri": tracking_uri}
    given = {key: value for key, value in options.items() if value is not None}
    overrides = {**read_settings(settings or []), **given}
    return read_spec(space, preset=preset, overrides=overrides, data=data)


def recorded_spec(folder: "SweepFolder", tracking_uri: str | None) -> "SweepSpec":
    """Return the search space of a sweep as it was launched, tracked elsewhere if asked for."""
    from sleepsweep.spec import SweepSpec

    spec = SweepSpec.model_validate(folder.read_manifest()["spec"])
    if tracking_uri is None:
        return spec
    tracking = {**spec.tracking.model_dump(), "uri": tracking_uri}
    return SweepSpec.model_validate({**spec.model_dump(), "tracking": tracking})


def run_plan(
    plan: "Plan", folder: "SweepFolder", console: "Console", *, json: bool, again: str | None = None
) -> int:
    """Run what is left of a plan, write the report, and return the exit status.

    `again` is the command that goes on after an early end, if it is not the launch.
    """
    from json import dumps

    from sleepsweep.rayenv import set_local_ray

    set_local_ray()
    from sleepsweep.summary import pointer
    from sleepsweep.sweep import run_sweep
    from sleepsweep.tracking import Tracker

    display = _display(plan, folder, console, json=json)
    manifest = folder.read_manifest()
    uri = plan.spec.tracking.uri
    tracker = Tracker(folder.path, manifest, uri)
    tracker.catch_up(folder.records())
    with display.running():
        complete = run_sweep(plan, folder, [folder, tracker, display])
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


def _display(plan: "Plan", folder: "SweepFolder", console: "Console", *, json: bool) -> "Display":
    from sleepsweep import display

    if json:
        return display.JsonLines()
    if console.quiet:
        return display.Silent()
    records = plan.own(folder.records())
    if not console.is_terminal:
        return display.Lines(console, len(plan.slots), records)
    return display.LiveTable(console, plan.title, len(plan.slots), plan.rungs, records)


def _print_pareto(plan: "Plan", folder: "SweepFolder", console: "Console") -> None:
    from sleepsweep.pareto import pareto_rows, write_pareto
    from sleepsweep.summary import pareto_table, pointer

    objectives = plan.spec.objectives
    rows = pareto_rows(folder.records(), objectives, plan.spec.searched)
    if len(objectives) > 1 and rows:
        console.print(pareto_table(rows, objectives))
        console.print(pointer("Pareto", str(write_pareto(rows, folder.path))))


def _print_failures(
    folder: "SweepFolder", unsent: str | None, *, complete: bool, again: str
) -> None:
    from sleepsweep.summary import troubles

    for line in troubles(folder, unsent, complete=complete, again=again):
        print(f"sleepsweep: {line}", file=sys.stderr)
