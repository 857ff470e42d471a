"""The commands on data: fetch, import, simulate, info."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.options import Quiet
from sleepsweep.data.edf.fetch import Study
from sleepsweep.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.data.source import DataSpec

data = typer.Typer(help="Get recordings, prepare them, look at them.", no_args_is_help=True)
app.add_typer(data, name="data")

Out = Annotated[Path, typer.Option(help="The folder to write.")]
Derivations = Annotated[
    list[str] | None, typer.Option("--derivation", help="A derivation to take; repeatable.")
]


@data.command()
def fetch(
    database: Annotated[str, typer.Argument(metavar="sleep-edf", help="Sleep-EDF Expanded.")],
    subjects: Annotated[str, typer.Option(help="As 0-19,22, or all.")] = "0-19",
    study: Annotated[Study, typer.Option(help="Of healthy people, or of temazepam.")] = "cassette",
    out: Out = Path("data"),
    mirror: Annotated[str | None, typer.Option(help="Another server's address.")] = None,
    quiet: Quiet = False,
) -> None:
    """Download recordings; what is there already is checked and left alone."""
    from sleepsweep.data.edf.fetch import fetch_sleep_edf, parse_subjects
    from sleepsweep.progress import progress_bar

    if database != "sleep-edf":
        raise UserError(f"{database}: is not known. Databases that can be fetched: sleep-edf.")
    wanted = parse_subjects(subjects, study)
    console = console_for(quiet=quiet)
    with progress_bar(console, "Fetching") as report:
        paths = fetch_sleep_edf(wanted, out, study=study, base_url=mirror, progress=report)
    folder = paths[0].parent
    _next(console, f"{len(paths)} files in {folder}.", f"data import {folder} --out STORE")


@data.command(name="import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Recordings, or a file that describes them.")],
    out: Out, derivation: Derivations = None,
    source: Annotated[
        str | None, typer.Option(help="What the folder is, where its files do not tell: edf, …")
    ] = None,
    sfreq: Annotated[float, typer.Option(help="Sampling frequency of the store, in Hz.")] = 100.0,
    epoch_s: Annotated[float, typer.Option(help="Length of an epoch, in seconds.")] = 30.0,
    normalize: Annotated[str, typer.Option(help="robust, zscore or none.")] = "robust",
    wake_crop_min: Annotated[
        float | None, typer.Option(help="Minutes of wake kept around sleep; default: the source's.")
    ] = None,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Prepare recordings (EDF, BDF, npz) into a store, which a launch takes as --data."""
    from sleepsweep.data.preparation import import_store
    from sleepsweep.progress import progress_bar
    from sleepsweep.terminal.data import store_info

    options = {
        "source": source, "derivations": derivation or None, "sfreq": sfreq, "epoch_s": epoch_s,
        "normalize": normalize, "wake_crop_min": wake_crop_min,
    }  # fmt: skip
    spec = _data_spec(options).pointed_at(folder)
    console = console_for(quiet=quiet)
    with progress_bar(console, "Importing") as report:
        store = import_store(spec, out, report)
    console.print(store_info(store))
    _next(console, "", f"launch SPACE.yaml --data {out}{_settings(spec)}")


@data.command()
def simulate(
    out: Out,
    subjects: Annotated[int, typer.Option(min=1, max=1000, help="How many people.")] = 10,
    nights: Annotated[int, typer.Option(min=1, max=9, help="Of each subject.")] = 1,
    seed: Annotated[int, typer.Option(help="Another one makes other people.")] = 0,
    store: Annotated[bool, typer.Option("--store", help="Write a store of Fpz-Cz.")] = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Write simulated nights as EDF recordings and hypnograms, named as Sleep-EDF's are."""
    from sleepsweep.data.preparation import import_store
    from sleepsweep.data.simulation.export import write_nights
    from sleepsweep.data.simulation.source import SimulatedSpec
    from sleepsweep.progress import progress_bar

    spec = SimulatedSpec(subjects=subjects, nights=nights, seed=seed)
    console = console_for(quiet=quiet)
    with progress_bar(console, "Simulating") as report:
        if store:
            import_store(_data_spec({"simulated": spec}), out, report)
        else:
            write_nights(spec, out, report)
    command = f"launch SPACE.yaml --data {out}" if store else f"data import {out} --out STORE"
    _next(console, f"{subjects} subjects of {nights} nights each in {out}.", command)


@data.command()
def info(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="A store's folder.")],
    verify: Annotated[bool, typer.Option("--verify", help="Read and check every epoch.")] = False,
) -> None:
    """Print a store's subjects, nights, stages, rejected epochs and quality."""
    from sleepsweep.data.store import Store
    from sleepsweep.terminal.data import store_info

    opened = Store.open(store)
    console = console_for(quiet=False)
    console.print(store_info(opened))
    if verify:
        opened.verify()
        console.print("\nEvery epoch is as it was written.")


def _next(console: "Console", done: str, command: str) -> None:
    # Neither wrapped nor read as markup, so that the command can be copied.
    console.print(f"{done}\nNext: sleepsweep {command}", soft_wrap=True, markup=False)


def _settings(spec: "DataSpec") -> str:
    """Return what a launch must be told of a store that was not prepared by default."""
    fields = type(spec).model_fields
    keys = ("sfreq", "epoch_s", "normalize")
    changed = {key: getattr(spec, key) for key in keys if getattr(spec, key) != fields[key].default}
    return "".join(f" --set data.{key}={value}" for key, value in changed.items())


def _data_spec(options: dict[str, Any]) -> "DataSpec":
    from pydantic import ValidationError

    from sleepsweep.data.source import DataSpec

    given = {key: value for key, value in options.items() if value is not None}
    try:
        return DataSpec.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).replace("_", "-") if first["loc"] else "the options"
        raise UserError(f"{option}: {first['msg']}.") from error
