"""The commands on augmentations: list, show."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.options import Quiet
from sleepsweep.errors import UserError

if TYPE_CHECKING:
    from sleepsweep.data.source import DataSpec

augment = typer.Typer(help="Which augmentations there are, and what they do.", no_args_is_help=True)
app.add_typer(augment, name="augment")


@augment.command(name="list")
def list_() -> None:
    """Print every augmentation: category, parameters, severities."""
    from sleepsweep.terminal.augmentations import augmentation_list

    console_for(quiet=False).print(augmentation_list())


@augment.command()
def show(
    out: Annotated[Path, typer.Option(help="The page to write, an HTML file.")],
    data: Annotated[
        Path | None, typer.Option(help="A store, or recordings. Default: a simulated night.")
    ] = None,
    augmentation: Annotated[
        list[str] | None, typer.Option(help="One to show; repeatable. Default: all.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the epochs, and of the draws.")] = 0,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Draw an epoch of each stage before and after augmentation, as one page for a browser."""
    from sleepsweep.augment import augmentation as named
    from sleepsweep.augmentpage import page_of, write
    from sleepsweep.data.preparation import prepare
    from sleepsweep.progress import progress_bar

    names = [named(name).__name__ for name in augmentation or ()]
    if out.is_dir():
        raise UserError(f"--out {out}: is a folder. Give the name of a file in it, as page.html.")
    spec = _data_spec(data)
    console = console_for(quiet=quiet)
    with progress_bar(console, "Preparing") as report:
        store = prepare(spec, progress=report)
    page = page_of(store, names, seed)
    write(page, out)
    what = f"{len(page.shown)} augmentations of epochs of {len(page.examples)} stages"
    console.print(f"{what} in {out}.", soft_wrap=True)


def _data_spec(data: Path | None) -> "DataSpec":
    from sleepsweep.data.simulation.source import SimulatedSpec
    from sleepsweep.data.source import DataSpec

    if data is not None:
        return DataSpec().pointed_at(data)
    # Two channels: with one, an augmentation that drops channels could not be shown.
    one = SimulatedSpec(subjects=1)
    return DataSpec(simulated=one, derivations=("Fpz-Cz", "Pz-Oz"))
