"""The command line's frame: the application, its exit status, and what all commands share."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

import sleepsweep
from sleepsweep.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

COMPLETE, BAD_INPUT, INCOMPLETE, TRIALS_FAILED = 0, 2, 3, 4

app = typer.Typer(
    help="Which augmentations make contrastive pretraining on sleep EEG work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]


def main() -> None:
    """Run the command line; a user's mistake ends with one message and exit status 2."""
    try:
        app()
    except UserError as error:
        print(f"sleepsweep: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(f"sleepsweep {sleepsweep.__version__}")
        raise typer.Exit


def console_for(*, quiet: bool) -> "Console":
    """Return the terminal that a command prints to; a quiet one prints nothing."""
    from rich.console import Console

    return Console(quiet=quiet, highlight=False)
