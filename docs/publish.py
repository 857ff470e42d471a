"""Publishes a finished sweep in docs/results: its report and table, and a page of what it found.

    python -m docs.publish runs/simulated --title "Simulated nights" --published published.csv

writes ``docs/results/NAME/``, which is the sweep's report with all of its files, drawn anew, and
``docs/results/NAME.md``: what was run, when and of which revision, what it says of augmentations,
and how far that agrees with the published study, whose table is given.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import published_claims, published_ranking
from benchmarks.performance import machine, revision
from sleepsweep.results import ResultsTable
from sleepsweep_analysis import Analysis, analyse, load, report
from sleepsweep_analysis.comparable import swept
from sleepsweep_analysis.words.board import baselines_finding
from sleepsweep_analysis.words.run import flow_finding
from sleepsweep_analysis.words.summary import verdict_pairs

RESULTS = Path(__file__).parent / "results"
TABLES = {
    "Categories": "categories", "Augmentations": "effects", "How many": "size_curve",
    "Confirmed": "confirmation",
}  # fmt: skip
"""Sections of a page, and the table of the report that each is."""
LAUNCH = re.compile(
    r"^(\S+) launched by pid \d+ on \S+: (.+)\n((?:(?!\S+ launched by).*\n)+)", re.MULTILINE
)
"""When, by which command, and the lines of a sweep's log up to the next launch."""


def main(
    sweep: Path, title: Annotated[str, typer.Option()], published: Annotated[Path, typer.Option()],
    of: Annotated[str, typer.Option(help="Of which revision the sweep is.")] = "",
    out: Path = RESULTS,
) -> None:  # fmt: skip
    """Write the folder and the page."""
    folder = out / sweep.name
    shutil.rmtree(folder, ignore_errors=True)
    analysis = analyse(_published(load(sweep)))
    report(analysis, folder)
    facts = "\n".join(f"- **{word}.** {fact}" for word, fact in _facts(sweep, analysis, of))
    sections = "\n\n".join(_sections(folder, analysis, published))
    page = f"# {title}\n\n{_about(sweep.name)}\n\n{facts}\n\n{sections}\n"
    folder.with_suffix(".md").write_text(page, encoding="utf-8")


def _published(table: ResultsTable) -> ResultsTable:
    """The table without the places of its files: where recordings lie is nobody's business."""
    return replace(table, study=replace(table.study, data=Path(table.study.data).name))


def _about(name: str) -> str:
    return (
        f"Written by `python -m docs.publish`. [The report itself]({name}/index.html), and what it "
        f"is drawn from: [trials]({name}/trials.parquet), [subjects]({name}/subjects.parquet)."
    )


def _facts(sweep: Path, analysis: Analysis, of: str) -> Iterator[tuple[str, str]]:
    yield "Question", analysis.table.study.question
    for command, minutes in _launches((sweep / "log.txt").read_text(encoding="utf-8")):
        yield "Command", f"`{command}`, {minutes:.0f} minutes"
    yield "Ran", flow_finding(swept(analysis.trials))
    yield "Revision", of or revision()
    yield "Machine", ", ".join(f"{key} {value}" for key, value in machine().items())


def _launches(log: str) -> Iterator[tuple[str, float]]:
    """Each command that ran trials, and how many minutes it took."""
    for started, command, rest in LAUNCH.findall(log):
        ended = [line.split(" ", 1)[0] for line in rest.splitlines()][-1]
        between = datetime.fromisoformat(ended) - datetime.fromisoformat(started)
        yield command, between.total_seconds() / 60


def _sections(folder: Path, analysis: Analysis, published: Path) -> Iterator[str]:
    yield "## Verdict"
    yield "\n".join(f"- **{word}.** {sentence}" for word, sentence in verdict_pairs(analysis))
    yield "## Warnings"
    yield "\n".join(f"- **{check.code}** ({check.level}). {check.sentence} {check.effect}"
                    for check in analysis.checks if check.level != "green")  # fmt: skip
    for heading, name in TABLES.items():
        table = folder / "tables" / f"{name}.md"
        if table.exists():
            yield f"## {heading}"
            # Without its own title.
            yield table.read_text(encoding="utf-8").partition("\n")[2].strip()
    yield "## Baselines"
    yield baselines_finding(analysis.baselines)
    yield "## Beside the published study"
    yield published_ranking.table(analysis, published_ranking.singles(published))
    yield published_claims.table(analysis)


if __name__ == "__main__":
    typer.run(main)
