"""The commands on a sweep that was launched: extend it, see where it stands, stop it."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import app, console_for, interruptible
from sleepsweep.cli.options import Cluster, Json, Quiet, SweepPath, TrackingUri
from sleepsweep.cli.reading import recorded_spec
from sleepsweep.cli.running import run_plan
from sleepsweep.errors import UserError
from sleepsweep.exitstatus import COMPLETE, INCOMPLETE, TRIALS_FAILED

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.folder.standing import Standing
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.plan import Plan
    from sleepsweep.spec.sweepspec import SweepSpec

More = Annotated[int, typer.Option("--trials", min=1, help="How many drawn trials to add.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for its end.")]


@app.command()
def extend(
    sweep: SweepPath, trials: More, tracking_uri: TrackingUri = None, cluster: Cluster = None,
    quiet: Quiet = False, json: Json = False,
) -> None:  # fmt: skip
    """Add drawn trials to a sweep and run what is left of it.

    The trials it has stay what they are. Launching its search space again continues the extended
    sweep.
    """
    from sleepsweep.folder.studyfolder import command
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.tracking import check_server

    folder = SweepFolder(sweep.resolve())
    spec = recorded_spec(folder, tracking_uri, cluster)
    check_server(spec.tracking.uri)
    console = console_for(quiet=quiet or json)
    with folder.locked():
        with interruptible(folder.path, command):
            plan = _extended(folder, spec, trials, console)
        with interruptible(folder.path, folder.to_go_on):
            status = run_plan(plan, folder, console, json=json)
    raise typer.Exit(status)


def _extended(folder: "SweepFolder", spec: "SweepSpec", trials: int, console: "Console") -> "Plan":
    from sleepsweep.plan import make_plan, read_past
    from sleepsweep.progress import progress_bar
    from sleepsweep.terminal import summary

    total = spec.search.trials + trials
    search = spec.search.model_copy(update={"trials": total})
    past = read_past(spec, folder.path)
    with progress_bar(console, "Preparing") as report_progress:
        plan = make_plan(spec.model_copy(update={"search": search}), report_progress, past)
    folder.begin(plan.manifest(), fresh=False)
    folder.extend(total, planned=len(plan.slots))
    console.print(summary.note(f"{total} drawn trials now, {trials} of them added."))
    opened = folder.read_manifest().get("test_opened", [])
    if opened:
        console.print(summary.note(
            f"The test subjects were opened on {opened[0]['time']}: what a confirmation says of "
            "trials added since is no first look at them."
        ))  # fmt: skip
    return plan


@app.command()
def status(sweep: SweepPath, json: Json = False) -> None:
    """Say where a sweep stands: trials, rungs, the best so far, whether it is running.

    Works from any terminal while the sweep runs. The exit status is the sweep's: 0 complete, 3
    incomplete, 4 complete but for trials that failed.
    """
    from json import dumps

    from sleepsweep.folder.standing import standing
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.terminal.standing import standing_of

    folder = SweepFolder(sweep.resolve())
    found = standing(folder, time.time())
    if json:
        print(dumps({"sweep": str(folder.path), **found.plain, "status": _status(found)}))
    else:
        console = console_for(quiet=False)
        for part in standing_of(found, folder):
            console.print(part)
    raise typer.Exit(_status(found))


@app.command()
def stop(sweep: SweepPath, wait: Wait = 120.0) -> None:
    """Ask a running launch to stop: it records what is done, writes the report and ends.

    The exit status is the sweep's, as that of `status`.
    """
    from sleepsweep.folder.standing import standing
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.terminal.standing import how_to_go_on

    folder = SweepFolder(sweep.resolve())
    folder.read_manifest()
    console = console_for(quiet=False)
    pid = folder.lock.interrupt()
    if pid is None:
        console.print("Nothing is running in this sweep.")
    else:
        with console.status(f"Asked the launch (pid {pid}) to stop; it writes its report."):
            _await_end(folder, wait)
        console.print(f"The launch (pid {pid}) has stopped.")
    found = standing(folder, time.time())
    console.print(how_to_go_on(found, folder))
    raise typer.Exit(_status(found))


def _await_end(folder: "SweepFolder", wait: float) -> None:
    until = time.monotonic() + wait
    while (pid := folder.lock.holder()) is not None:
        if time.monotonic() > until:
            raise UserError(
                f"the launch (pid {pid}) was asked to stop and is still at work after {wait:g} s. "
                f"`sleepsweep status {folder.path}` says when it has ended."
            )
        time.sleep(0.2)


def _status(found: "Standing") -> int:
    if not found.is_complete:
        return INCOMPLETE
    return TRIALS_FAILED if found.failed else COMPLETE
