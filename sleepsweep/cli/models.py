"""The commands on a trained model: evaluate, embed."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.options import Json, Quiet

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.data.store import Store
    from sleepsweep.evaluation import People
    from sleepsweep.model import Model

ModelPath = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", help="An experiment's folder, a model file, or ready, which comes along."
    ),
]
Other = Annotated[Path, typer.Option(help="Recordings, or a store.")]
Trust = Annotated[
    bool, typer.Option("--trust", help="Import the encoder, where it is a class of one's own.")
]
Strangers = Annotated[
    bool, typer.Option("--strangers", help="Who is named as a subject of the model is another.")
]
Derivation = Annotated[
    list[str] | None, typer.Option(help="A derivation to take; repeatable, in the model's order.")
]


class Plane(StrEnum):
    """A picture of a latent space; typer takes no list of a Literal."""

    PCA = "pca"
    TSNE = "tsne"
    UMAP = "umap"


@app.command()
def evaluate(
    model: ModelPath, data: Other, derivation: Derivation = None,
    out: Annotated[
        Path | None, typer.Option(help="Default: in evaluations/, beside the model.")
    ] = None,
    strangers: Strangers = False, trust: Trust = False,
    quiet: Quiet = False, json: Json = False,
) -> None:  # fmt: skip
    """Stage recordings with a model, and compare with the experts' stages.

    On the recordings that it was trained on, only its test subjects are scored.
    """
    from json import dumps

    from sleepsweep.evaluation import evaluate_people, read_model
    from sleepsweep.terminal.experiment import scores_table
    from sleepsweep.terminal.summary import pointer

    file = read_model(model, classifier=True, trust=trust)
    console = console_for(quiet=quiet or json)
    store = prepared_for(file.model, data, derivation, console)
    people = people_of(file.model, store, console, strangers=strangers)
    name = f"{file.path.stem}-{data.resolve().name}-{store.data_hash[:6]}"
    place = out or file.beside / "evaluations" / name
    found = evaluate_people(file, store, people, place)
    console.print(scores_table(f"{file.path.stem} on {data}", found.overall()))
    console.print(pointer("\nTables", str(place)))
    if json:
        print(dumps({"out": str(place), **found.key_values()}))


@app.command()
def embed(
    model: ModelPath, data: Other,
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    derivation: Derivation = None,
    picture: Annotated[
        list[Plane] | None,
        typer.Option(help="A plane to draw; repeatable. Default: all."),
    ] = None,
    strangers: Strangers = False, trust: Trust = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Embed recordings: all epochs to parquet; measures and pictures of some.

    The model's test subjects stay closed.
    """
    from sleepsweep.evaluation import embed_people, read_model
    from sleepsweep.experiment.spec import LatentSpec
    from sleepsweep.terminal.summary import pointer

    file = read_model(model, classifier=False, trust=trust)
    spec = (
        LatentSpec()
        if not picture
        else LatentSpec(pictures=tuple(dict.fromkeys(plane.value for plane in picture)))
    )
    console = console_for(quiet=quiet)
    store = prepared_for(file.model, data, derivation, console)
    count, people = embed_people(file.model, store, spec, out, strangers=strangers)
    console.print(f"{count:,} epochs of {people} subjects in {out / 'embeddings.parquet'}.")
    console.print(pointer("Pictures", str(out / "latent" / "index.html")))


def prepared_for(
    model: "Model", data: Path, derivation: list[str] | None, console: "Console"
) -> "Store":
    """Prepare recordings as the model's own were, telling how far; they must fit it."""
    from sleepsweep.evaluation import prepare_for
    from sleepsweep.progress import progress_bar

    with progress_bar(console, "Preparing") as report:
        store = prepare_for(model.about, data, derivation, report)
    model.check_fits(store)
    return store


def people_of(model: "Model", store: "Store", console: "Console", *, strangers: bool) -> "People":
    """Say who is left out, and return those whom the model has not seen."""
    from sleepsweep.evaluation import scored_people
    from sleepsweep.terminal.summary import note

    people = scored_people(model.about, store, strangers=strangers)
    if people.note:
        console.print(note(people.note))
    return people
