"""The command line's frame: the application, its exit status, and what all commands share."""

import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import sleepsweep
from sleepsweep.errors import UserError
from sleepsweep.exitstatus import BAD_INPUT, INCOMPLETE

if TYPE_CHECKING:
    from rich.console import Console


app = typer.Typer(
    help="Which augmentations make contrastive pretraining on sleep EEG work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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


@contextmanager
def interruptible(folder: Path, again: Callable[[], str]) -> Iterator[None]:
    """Let Ctrl-C, `sleepsweep stop` and a job's end end the block, wherever it is, with status 3.

    `folder` holds what was done; what goes on then is the command that `again` returns. A script's
    background job ignores Ctrl-C from its start; here it does not. Slurm announces the end of a
    job's time by SIGTERM, or by the signal that one asks for, which is SIGUSR1 by custom. SIGHUP
    says that the terminal is gone, as a lost connection does; nohup has it ignored, and so it is.
    """
    from sleepsweep.terminal.summary import stopped

    before = {number: signal.getsignal(number) for number in ENDS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in ENDS[1:]:
        signal.signal(number, _as_ctrl_c)
    if before[signal.SIGHUP] is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        said = stopped(folder, again())
        print(f"sleepsweep: {said}", file=sys.stderr)
        raise typer.Exit(INCOMPLETE) from interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)


def _as_ctrl_c(number: int, frame: object) -> None:
    if number == signal.SIGHUP:
        _leave_the_terminal()
    signal.raise_signal(signal.SIGINT)


def _leave_the_terminal() -> None:
    """Let what is printed from now on go nowhere, where it went to a terminal that is gone."""
    with Path(os.devnull).open("w") as nowhere:
        for output in (sys.stdout, sys.stderr):
            if stat.S_ISCHR(os.fstat(output.fileno()).st_mode):
                os.dup2(nowhere.fileno(), output.fileno())


def console_for(*, quiet: bool) -> "Console":
    """Return the terminal that a command prints to; a quiet one prints nothing."""
    from sleepsweep.terminal.console import Terminal

    return Terminal(quiet=quiet, highlight=False)
