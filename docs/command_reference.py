"""A hook of MkDocs: the reference of the command line, made of what ``--help`` is made of."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from sleepsweep.cli import app

MARK = "<!-- reference: commands -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the reference where a page asks for it."""
    return markdown.replace(MARK, command_reference()) if MARK in markdown else markdown


def command_reference() -> str:
    """Every command with its arguments and options, as Markdown."""
    return "\n".join(line for path, command in commands() for line in _described(path, command))


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its path, such as ``slurm submit``, in the order of ``--help``."""
    yield from _below(get_command(app), ())


def _below(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _below(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def _described(path: str, command: Any) -> Iterator[str]:
    context = typer.Context(command, info_name=f"sleepsweep {path}")
    usage = " ".join([f"sleepsweep {path}", *command.collect_usage_pieces(context)])
    usage = usage.replace("{", "").replace("}", "")
    yield f"## {path}\n\n{command.help}\n"
    yield f"```text\n{usage}\n```\n"
    # Arguments first: without them there is nothing to be optional about.
    params = sorted(command.params, key=lambda each: not isinstance(each, TyperArgument))
    records = [each.get_help_record(context) for each in params]
    yield "| argument or option | |\n|---|---|"
    for names, text in filter(None, records):
        yield f"| `{names}` | {text.replace('|', chr(92) + '|')} |"
    yield ""
