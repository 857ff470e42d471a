"""The commands on a trained model: evaluate, embed."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.options import Json, Quiet

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

    from sleepsweep.evaluation import (
        evaluate_people,
        prepare_for,
        read_model,
        scored_people,
    )
    from sleepsweep.progress import progress_bar
    from sleepsweep.terminal.experiment import scores_table
    from sleepsweep.terminal.summary import note, pointer

    file = read_model(model, classifier=True, trust=trust)
    console = console_for(quiet=quiet or json)
    with progress_bar(console, "Preparing") as report:
        store = prepare_for(file.model.about, data, derivation, report)
    file.model.check_fits(store)
    people = scored_people(file.model.about, store, strangers=strangers)
    if people.note:
        console.print(note(people.note))
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
    from sleepsweep.evaluation import embed_people, prepare_for, read_model
    from sleepsweep.experiment.spec import LatentSpec
    from sleepsweep.progress import progress_bar
    from sleepsweep.terminal.summary import pointer

    file = read_model(model, classifier=False, trust=trust)
    spec = (
        LatentSpec()
        if not picture
        else LatentSpec(pictures=tuple(dict.fromkeys(plane.value for plane in picture)))
    )
    console = console_for(quiet=quiet)
    with progress_bar(console, "Preparing") as report:
        store = prepare_for(file.model.about, data, derivation, report)
    file.model.check_fits(store)
    count, people = embed_people(file.model, store, spec, out, strangers=strangers)
    console.print(f"{count:,} epochs of {people} subjects in {out / 'embeddings.parquet'}.")
    console.print(pointer("Pictures", str(out / "latent" / "index.html")))
