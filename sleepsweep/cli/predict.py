"""The command that stages nights with a trained model: predict."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.models import Derivation, ModelPath, Strangers, Trust
from sleepsweep.cli.options import Json, Quiet
from sleepsweep.errors import UserError
from sleepsweep.exitstatus import BAD_INPUT, COMPLETE

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.predict import NightReport


@app.command()
def predict(
    model: ModelPath,
    night: Annotated[
        Path, typer.Argument(metavar="NIGHT", help="An EDF or BDF file, or a folder of them.")
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out", "-o", metavar="FILE",
            help="A .csv, .edf, .html or .png, or a folder for all of them; repeatable.",
        ),
    ] = None,
    derivation: Derivation = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="HYPNOGRAM", help="Stages that somebody has scored.")
    ] = None,
    description: Annotated[
        Path | None, typer.Option(help="A description file that says how HYPNOGRAM is read.")
    ] = None,
    strangers: Strangers = False, trust: Trust = False,
    quiet: Quiet = False, json: Json = False,
) -> None:  # fmt: skip
    """Stage nights that nobody has scored, and compare with a hypnogram where there is one.

    Not a medical device.
    """
    from sleepsweep.evaluation import read_model
    from sleepsweep.predict import NightReport, nights_at, outputs_for, report_on, write_outputs

    file = read_model(model, classifier=True, trust=trust)
    if compare is not None and night.is_dir():
        raise UserError(
            f"{night}: is a folder, and --compare is the hypnogram of one night. Give one night, "
            "or stage scored recordings with sleepsweep evaluate."
        )
    nights = nights_at(night)
    inputs = [*nights, file.path, *([compare] if compare else [])]
    outputs = outputs_for(nights, night, out or [], inputs)
    console, status = console_for(quiet=quiet or json), COMPLETE

    def one(path: Path) -> NightReport:
        report = report_on(
            file, path, derivation, compare=compare, description=description, strangers=strangers
        )
        write_outputs(report, outputs[path])
        return report

    for path in nights:
        try:
            _tell(one(path), outputs[path], console, json=json)
        except UserError as error:
            if len(nights) == 1:
                raise
            print(f"sleepsweep: {error}", file=sys.stderr)
            status = BAD_INPUT
    raise typer.Exit(status)


def _tell(report: "NightReport", files: Sequence[Path], console: "Console", *, json: bool) -> None:
    from json import dumps

    from sleepsweep.terminal.predict import night_lines
    from sleepsweep.terminal.summary import pointer

    if json:
        print(dumps({**report.as_json(), "files": [str(file) for file in files]}), flush=True)
    for line in night_lines(report):
        console.print(line)
    for file in files:
        console.print(pointer("Written", str(file)))
    console.print()
