"""The commands that begin with a search space or end with a sweep's pages: check, launch, ui."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import app, console_for, interruptible
from sleepsweep.cli.options import (
    Cluster,
    Data,
    Json,
    Preset,
    Quiet,
    Seed,
    Settings,
    SpaceFile,
    SweepPath,
    TrackingUri,
    Trials,
)
from sleepsweep.cli.reading import as_extended, read_space
from sleepsweep.cli.running import run_plan

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.plan import Plan
    from sleepsweep.search.warmstart import Past
    from sleepsweep.spec.sweepspec import SweepSpec

Out = Annotated[Path | None, typer.Option(help="The sweep's folder; default: runs/NAME.")]
TRACK_LATER = (
    " To start all the same, give --track-later: nothing is lost, and what the server misses is "
    "sent when it answers, or by sleepsweep sync."
)


@app.command()
def check(
    space: SpaceFile, data: Data = None, settings: Settings = None, preset: Preset = None,
    trials: Trials = None, seed: Seed = None,
) -> None:  # fmt: skip
    """Validate a search space, its presets and its overrides; run nothing.

    A store is opened as a launch would; other recordings are not read.
    """
    from sleepsweep.terminal.summary import search_notes

    spec = read_space(space, data, settings, preset, trials, seed)
    people = _people(spec)
    notes = search_notes(spec, _past(spec))
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
    cluster: Cluster = None, quiet: Quiet = False, json: Json = False,
) -> None:  # fmt: skip
    """Run a sweep, or continue the one in its folder, and write the report."""
    from sleepsweep.folder.studyfolder import command
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.tracking import check_server

    spec = read_space(space, data, settings, preset, trials, seed, tracking_uri, cluster)
    # Workers run in folders of their own: a relative path would mean another place there.
    folder = SweepFolder((out or Path("runs") / spec.name).resolve())
    if not fresh:
        spec = as_extended(spec, folder)
    folder.check_usable(spec.model_dump(mode="json"), fresh=fresh)
    if not track_later:
        check_server(spec.tracking.uri, hint=TRACK_LATER)
    console = console_for(quiet=quiet or json)
    with interruptible(folder.path, command):
        plan = _prepared(spec, folder, console)
    with folder.locked(), interruptible(folder.path, folder.to_go_on):
        manifest = plan.manifest()
        folder.check_usable(manifest["spec"], fresh=fresh)
        folder.begin(manifest, fresh=fresh)
        status = run_plan(plan, folder, console, json=json)
    raise typer.Exit(status)


def _prepared(spec: "SweepSpec", folder: "SweepFolder", console: "Console") -> "Plan":
    from rich.text import Text

    from sleepsweep.plan import make_plan, read_past
    from sleepsweep.progress import progress_bar
    from sleepsweep.terminal import summary

    past = read_past(spec, folder.path)
    console.print(Text(f"Preparing data: {spec.data.root or spec.data.source}"))
    with progress_bar(console, "Preparing") as report_progress:
        plan = make_plan(spec, report_progress, past)
    console.print(summary.data_summary(plan))
    for sentence in summary.search_notes(plan.spec, plan.past):
        console.print(Text(sentence))
    return plan


@app.command()
def ui(
    sweep: SweepPath,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the pages are.")] = 5000,
) -> None:
    """Open MLflow's pages on a sweep or an experiment, on this machine only."""
    from sleepsweep.tracking import serve_ui, ui_address

    print(f"MLflow: {ui_address(sweep, port)}\nCtrl-C ends the server.", flush=True)
    serve_ui(sweep, port)


def _past(spec: "SweepSpec") -> "Past":
    from sleepsweep.search.warmstart import NO_PAST

    if spec.search.warm_start is None:
        return NO_PAST
    from sleepsweep.plan import read_past

    return read_past(spec, None)


def _people(spec: "SweepSpec") -> str:
    if spec.data.kind != "store":
        return "The recordings were not read: a launch does that."
    from sleepsweep.plan import make_plan

    counts = make_plan(spec).subject_counts()
    return f"Subjects: {', '.join(f'{part} {count}' for part, count in counts.items())}."
