"""The report: of a sweep, of a table of results from elsewhere, of an experiment in MLflow."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.options import Quiet
from sleepsweep.cli.ranking import check_folder, embed, print_ranking, write_report
from sleepsweep.cli.reading import analysed, read_file, read_sweep, read_sweep_only
from sleepsweep.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.results import ResultsTable
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
    written to NAME-report in the current folder. With --out nothing is written into SWEEP.
    """
    if compare != (len(sweeps) > 1):
        raise UserError(
            f"{len(sweeps)} sweep(s) given; report takes one, and report --compare two or more."
        )
    console = console_for(quiet=quiet)
    sources = [_Source(sweep, tracking_uri, out) for sweep in sweeps]
    for source in sources:
        check_folder(source.out)
    analyses = [analysed(source.read(), sizes) for source in sources]
    for source, analysis in zip(sources, analyses, strict=True):
        if source.is_sweep:
            embed(Path(source.name), analysis, console, umap=umap)
    if compare:
        _compare(analyses, out or Path("comparison-report"), console)
        return
    page = write_report(analyses[0], sources[0].out)
    print_ranking(analyses[0], page, console)


@dataclass(frozen=True)
class _Source:
    """Where results are read from: a path, or an experiment's name at a tracking URI."""

    name: str
    tracking_uri: str | None
    given: Path | None

    @property
    def out(self) -> Path:
        """The folder that is given, or one in a sweep's folder, or else in the current one."""
        if self.given is not None:
            return self.given
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
            return read_file(path)
        if (path / "trials.parquet").is_file() and not self.is_sweep:
            return read_file(path)
        return read_sweep(path) if self.given is None else read_sweep_only(path, self.given)


def _compare(analyses: list["Analysis"], out: Path, console: "Console") -> None:
    from sleepsweep.terminal.summary import pointer
    from sleepsweep_analysis import compare

    check_folder(out)
    console.print(pointer("Comparison", str(compare(analyses, out))))
