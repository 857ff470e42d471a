"""Sending to MLflow what a sweep's launch could not."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.options import Quiet, SweepPath
from sleepsweep.cli.reading import read_sweep
from sleepsweep.exitstatus import INCOMPLETE

if TYPE_CHECKING:
    from sleepsweep.folder.record import TrialRecord

PATIENCE_S = 60.0
"""Seconds without anything sent after which sync gives up."""


@app.command()
def sync(
    sweep: SweepPath,
    tracking_uri: Annotated[
        str | None, typer.Option(help="An MLflow server; default: the sweep's own.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Send MLflow what it has not got of a sweep: runs, rungs, tables, report; nothing twice."""
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.results import TableError
    from sleepsweep.tracking import Tracker, check_server

    folder = SweepFolder(sweep.resolve())
    manifest = folder.read_manifest()
    uri = tracking_uri or manifest["spec"]["tracking"]["uri"]
    check_server(uri)
    with folder.locked():
        records = folder.records()
        try:
            read_sweep(folder.path)
        except TableError as error:
            # A sweep whose trials have not reported has runs to send, and no tables.
            print(f"sleepsweep: {error}", file=sys.stderr)
        tracker = Tracker(folder.path, manifest, uri)
        tracker.catch_up(records)
        tracker.attach_results()
        unsent = tracker.close(
            complete=_is_complete(records, manifest), patience_s=PATIENCE_S, renewed=True
        )
    if unsent:
        print(f"sleepsweep: {unsent}. Run the same command again.", file=sys.stderr)
        raise typer.Exit(INCOMPLETE)
    rungs = sum(len(record.rows) for record in records)
    where = uri or f"sleepsweep ui {sweep}"
    console_for(quiet=quiet).print(
        f"MLflow has all {len(records)} trials and {rungs} rungs: {where}", soft_wrap=True
    )


def _is_complete(records: list["TrialRecord"], manifest: dict[str, Any]) -> bool:
    if any(record.state == "running" for record in records):
        return False
    planned = int(manifest["study"]["planned_trials"])
    return sum(not record.confirms for record in records) >= planned
