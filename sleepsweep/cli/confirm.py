"""The command that opens the test subjects: the analysis chooses policies, the engine runs them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sleepsweep.cli.app import app, console_for, interruptible
from sleepsweep.cli.options import Cluster, Json, Quiet, SweepPath, TrackingUri
from sleepsweep.cli.reading import analyse_sweep, recorded_spec
from sleepsweep.cli.running import run_plan
from sleepsweep.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.confirmation import ConfirmationPlan
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.spec.sweepspec import SweepSpec

Top = Annotated[int | None, typer.Option(min=1, max=10, help="How many of the best policies.")]
Blocks = Annotated[int | None, typer.Option(min=2, help="Fresh blocks to run each of them on.")]


@app.command()
def confirm(
    sweep: SweepPath, top: Top = None, blocks: Blocks = None, tracking_uri: TrackingUri = None,
    cluster: Cluster = None, quiet: Quiet = False, json: Json = False,
) -> None:  # fmt: skip
    """Run the best policies again in fresh blocks, scored on the test subjects.

    The policies are the best of the leaderboard by what the model expects, the best single
    augmentation, and none. Defaults of --top and --blocks are the search space's, `confirm`.
    Nothing that was confirmed is run again; an interrupted confirmation continues.
    """
    from sleepsweep.folder.studyfolder import command
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.tracking import check_server

    folder = SweepFolder(sweep.resolve())
    spec = recorded_spec(folder, tracking_uri, cluster)
    check_server(spec.tracking.uri)
    console = console_for(quiet=quiet or json)
    with folder.locked(), interruptible(folder.path, command):
        plan = _plan(folder, spec, console, top or spec.confirm.top, blocks or spec.confirm.blocks)
        status = run_plan(plan, folder, console, json=json, again=command())
    raise typer.Exit(status)


def _plan(
    folder: "SweepFolder", spec: "SweepSpec", console: "Console", top: int, blocks: int
) -> "ConfirmationPlan":
    from sleepsweep.confirmation import candidates_of, make_confirmation
    from sleepsweep.plan import make_plan
    from sleepsweep.progress import progress_bar
    from sleepsweep.terminal import summary

    picked = _picked(folder, top)
    with progress_bar(console, "Preparing") as report_progress:
        sweep_plan = make_plan(spec, report_progress)
    folder.begin(sweep_plan.manifest(), fresh=False)
    records = folder.records()
    plan = make_confirmation(sweep_plan, candidates_of(picked, records), blocks, records)
    unfinished = len(sweep_plan.open_slots(sweep_plan.own(records)))
    for line in summary.confirmation_plan(
        picked, len(plan.open_slots(plan.own(records))), plan, blocks, unfinished
    ):
        console.print(line)
    return plan


def _picked(folder: "SweepFolder", top: int) -> list[dict[str, Any]]:
    from sleepsweep.results import TableError
    from sleepsweep_analysis.policies.candidates import candidates

    try:
        frame = candidates(analyse_sweep(folder.path), top)
    except TableError as error:
        raise UserError(f"{folder.path}: cannot choose policies to confirm: {error}") from error
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
