"""What commands say of a sweep's results: the report, and the ranking in the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING

from sleepsweep.cli.reading import analysed, read_sweep
from sleepsweep.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.tracking import Tracker
    from sleepsweep_analysis import Analysis


def report_to(sweep: Path, tracker: "Tracker", console: "Console") -> str | None:
    """Report on a launch that has ended, here and in MLflow; return the page, if there is one."""
    from sleepsweep.results import TableError
    from sleepsweep.terminal.summary import pointer

    table = read_sweep(sweep)
    try:
        analysis = analysed(table)
    except TableError as error:
        # A sweep that ended before there was anything to rank is no mistake of the user's.
        console.print(pointer("No report yet:", str(error)))
        tracker.attach_results()
        return None
    embed(sweep, analysis, console)
    page = write_report(analysis, sweep / "report")
    tracker.attach_results()
    print_ranking(analysis, page, console)
    return str(page)


def embed(sweep: Path, analysis: "Analysis", console: "Console", *, umap: bool = False) -> None:
    """Embed validation epochs with the trials that the report looks at closely."""
    from sleepsweep.embeddings import write_embeddings
    from sleepsweep.terminal import summary

    into = analysis.table.embeddings
    for trouble in write_embeddings(sweep, analysis.compared.values(), into, umap=umap):
        console.print(summary.note(trouble))


def check_folder(out: Path) -> None:
    """Raise `UserError` before anything is computed where the report cannot be written."""
    for place in (out, *out.parents):
        if place.exists() and not place.is_dir():
            raise UserError(f"{place}: is a file; give a folder with --out.")


def write_report(analysis: "Analysis", out: Path) -> Path:
    """Write the report into `out`, and return its page. Raises `UserError` where it cannot be."""
    from sleepsweep_analysis import report

    try:
        return report(analysis, out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror}).") from error


def print_ranking(analysis: "Analysis", page: Path, console: "Console") -> None:
    """Print what was read, the ranking, the warnings, and where the report is."""
    from sleepsweep.terminal import summary
    from sleepsweep_analysis.warnings import CLAIMS
    from sleepsweep_analysis.words import verdict

    refused = analysis.refused
    for note in analysis.table.notes:
        console.print(summary.note(note))
    if len(analysis.chosen.left_out):
        console.print(summary.rows_table(analysis.chosen.describe()))
    ranked = analysis.categories
    if "ranking" in refused:
        ranked = ranked.assign(verdict="refused")
    console.print(summary.category_table(ranked))
    if "size" not in refused:
        console.print(summary.size_table(analysis.size_curve))
    if len(analysis.confirmation):
        console.print(summary.confirmation_table(analysis.confirmation))
    console.print(summary.verdict(verdict(analysis)))
    console.print()
    for check in analysis.checks:
        if check.level != "green":
            console.print(summary.warning(check.code, check.level, check.sentence))
    if refused:
        console.print(summary.refusals(CLAIMS[claim] for claim in refused))
    console.print(summary.pointer("Report", str(page)))
