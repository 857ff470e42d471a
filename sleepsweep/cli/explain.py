"""The command that says what a model uses: explain."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.models import (
    Derivation,
    ModelPath,
    Other,
    Strangers,
    Trust,
    people_of,
    prepared_for,
)
from sleepsweep.cli.options import Json, Quiet

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.explain.page import Explained


class FillName(StrEnum):
    """What an occluded window holds; typer takes no Literal with a help of its own."""

    SURROGATE = "surrogate"
    ZERO = "zero"


@app.command()
def explain(
    model: ModelPath, data: Other, derivation: Derivation = None,
    out: Annotated[
        Path | None, typer.Option(help="Default: in explanations/, beside the model.")
    ] = None,
    window: Annotated[float, typer.Option(help="Seconds that are taken out at a time.")] = 2.0,
    fill: Annotated[FillName, typer.Option(help="What they are replaced by.")] = FillName.SURROGATE,
    epochs_per_subject: Annotated[
        int, typer.Option(min=10, help="At most; spread evenly over a subject's nights.")
    ] = 500,
    strangers: Strangers = False, trust: Trust = False,
    quiet: Quiet = False, json: Json = False,
) -> None:  # fmt: skip
    """Say what a model uses: what it loses without each frequency band, and without each moment.

    On the recordings that it was trained on, only its test subjects are looked at.
    """
    from sleepsweep.evaluation import read_model
    from sleepsweep.explain.run import Plan, explain_people
    from sleepsweep.progress import progress_bar

    file = read_model(model, classifier=True, trust=trust)
    plan = Plan(window_s=window, fill=fill.value, epochs_per_subject=epochs_per_subject)
    plan.occlusions(file.model.about)  # a mistake is told before recordings are prepared
    console = console_for(quiet=quiet or json)
    store = prepared_for(file.model, data, derivation, console)
    people = people_of(file.model, store, console, strangers=strangers)
    named = data.resolve().name
    name = f"{file.path.stem}-{named}-{store.data_hash[:6]}"
    place = out or file.beside / "explanations" / name
    with progress_bar(console, "Explaining") as report:
        found = explain_people(file, store, people, plan, place, report, named=named)
    _print(found, place, console, json=json)


def _print(found: "Explained", place: Path, console: "Console", *, json: bool) -> None:
    from json import dumps

    from sleepsweep.explain.page import lines
    from sleepsweep.explain.run import PAGE
    from sleepsweep.terminal.explanation import summary_table
    from sleepsweep.terminal.summary import pointer

    told = list(lines(found))
    console.print(summary_table(told))
    console.print(pointer("\nPage", str(place / PAGE)))
    if json:
        print(dumps({"out": str(place), "costs_most": {line.stage: line.band for line in told}}))
