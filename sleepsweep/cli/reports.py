"""The report: of a sweep, of a table of results from elsewhere, of an experiment in MLflow."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import Quiet, app, console_for
from sleepsweep.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.results import ResultsTable
    from sleepsweep.tracking import Tracker
    from sleepsweep_analysis import Analysis

Sweeps = Annotated[
    list[str],
    typer.Argument(metavar="SWEEP", help="A sweep's folder, a CSV or parquet file, a name."),
]
Out = Annotated[Path | None, typer.Option(help="The report's folder; default: SWEEP/report.")]
Tracking = Annotated[str | None, typer.Option(help="SWEEP is an experiment's name in this MLflow.")]
Compare = Annotated[bool, typer.Option("--compare", help="Put several sweeps side by side.")]
Sizes = Annotated[
    tuple[int, int] | None,
    typer.Option(metavar="SMALLEST LARGEST", help="Effects over random sets of these sizes."),
]
Umap = Annotated[bool, typer.Option("--umap", help="Draw embeddings by UMAP too (half a minute).")]


@app.command()
def report(
    sweeps: Sweeps, out: Out = None, tracking_uri: Tracking = None, compare: Compare = False,
    sizes: Sizes = None, umap: Umap = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Analyse recorded trials again and write the report and its tables.

    SWEEP is a sweep's folder, or a CSV or parquet file of results from anywhere, or, with
    --tracking-uri, the name of an experiment in MLflow. The report of a file or an experiment is
    written to NAME-report in the current folder.
    """
    if compare != (len(sweeps) > 1):
        raise UserError(
            f"{len(sweeps)} sweep(s) given; report takes one, and report --compare two or more."
        )
    console = console_for(quiet=quiet)
    sources = [_Source(sweep, tracking_uri) for sweep in sweeps]
    for source in sources:
        _check_folder(out or source.default_out)
    analyses = [_analysed(source.read(), sizes) for source in sources]
    for source, analysis in zip(sources, analyses, strict=True):
        if source.is_sweep:
            _embed(Path(source.name), analysis, console, umap=umap)
    if compare:
        _compare(analyses, out or Path("comparison-report"), console)
        return
    page = _write_report(analyses[0], out or sources[0].default_out)
    print_ranking(analyses[0], page, console)


@dataclass(frozen=True)
class _Source:
    """Where results are read from: a path, or an experiment's name at a tracking URI."""

    name: str
    tracking_uri: str | None

    @property
    def default_out(self) -> Path:
        """In a sweep's folder, or else in the current one, so that nothing is written elsewhere."""
        path = Path(self.name)
        if self.tracking_uri is not None:
            return Path(f"{path.name}-report")
        return path / "report" if path.is_dir() else Path(f"{path.stem}-report")

    @property
    def is_sweep(self) -> bool:
        """Whether it is the folder of a sweep that was launched here."""
        return self.tracking_uri is None and (Path(self.name) / "sweep.json").is_file()

    def read(self) -> "ResultsTable":
        if self.tracking_uri is not None:
            from sleepsweep.tracking import read_experiment

            return read_experiment(self.name, self.tracking_uri)
        path = Path(self.name)
        if path.is_file():
            return _from_file(path)
        if (path / "trials.parquet").is_file() and not self.is_sweep:
            return _from_file(path)
        return read_sweep(path)


def report_to(sweep: Path, tracker: "Tracker", console: "Console") -> str | None:
    """Report on a launch that has ended, here and in MLflow; return the page, if there is one."""
    from sleepsweep.results import TableError
    from sleepsweep.summary import pointer

    table = read_sweep(sweep)
    try:
        analysis = _analysed(table)
    except TableError as error:
        # A sweep that ended before there was anything to rank is no mistake of the user's.
        console.print(pointer("No report yet:", str(error)))
        tracker.attach_results()
        return None
    _embed(sweep, analysis, console)
    page = _write_report(analysis, sweep / "report")
    tracker.attach_results()
    print_ranking(analysis, page, console)
    return str(page)


def read_sweep(sweep: Path) -> "ResultsTable":
    """Read a sweep's recorded trials, and write its tables again."""
    from sleepsweep.plan import read_table

    table = read_table(sweep)
    table.write(sweep)
    return table


def analyse_sweep(sweep: Path) -> "Analysis":
    """Analyse a sweep's recorded trials; `TableError` where there is nothing to rank."""
    return _analysed(read_sweep(sweep))


def _from_file(path: Path) -> "ResultsTable":
    """Read a table; our own augmentations have a category where its groups tell none."""
    from sleepsweep_analysis import load
    from sleepsweep_analysis.reading.members import UNCATEGORISED

    table = load(path)
    categories = table.study.categories
    without = [name for name, category in categories.items() if category == UNCATEGORISED]
    if not without:
        return table
    return load(path, categories=_known_categories(without))


def _known_categories(names: list[str]) -> dict[str, str]:
    from sleepsweep.augment import augmentation, augmentations

    known = {n for name, kind in augmentations().items() for n in (name, *kind.aliases)}
    return {name: augmentation(name).category for name in names if name in known}


def _analysed(table: "ResultsTable", sizes: tuple[int, int] | None = None) -> "Analysis":
    from sleepsweep_analysis import analyse

    return analyse(table, reference=sizes)


def _embed(sweep: Path, analysis: "Analysis", console: "Console", *, umap: bool = False) -> None:
    """Embed validation epochs with the trials that the report looks at closely."""
    from sleepsweep import summary
    from sleepsweep.embeddings import write_embeddings

    for trouble in write_embeddings(sweep, analysis.compared.values(), umap=umap):
        console.print(summary.note(trouble))


def _check_folder(out: Path) -> None:
    """Raise `UserError` before anything is computed where the report cannot be written."""
    for place in (out, *out.parents):
        if place.exists() and not place.is_dir():
            raise UserError(f"{place}: is a file; give a folder with --out.")


def _write_report(analysis: "Analysis", out: Path) -> Path:
    from sleepsweep_analysis import report

    try:
        return report(analysis, out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror}).") from error


def _compare(analyses: list["Analysis"], out: Path, console: "Console") -> None:
    from sleepsweep.summary import pointer
    from sleepsweep_analysis import compare

    _check_folder(out)
    console.print(pointer("Comparison", str(compare(analyses, out))))


def print_ranking(analysis: "Analysis", page: Path, console: "Console") -> None:
    """Print what was read, the ranking, the warnings, and where the report is."""
    from sleepsweep import summary
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
