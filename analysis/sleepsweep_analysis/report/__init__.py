"""The report: one HTML page that needs nothing but a browser, and its numbers beside it."""

from collections.abc import Sequence
from pathlib import Path

from sleepsweep_analysis.report.comparison import comparison
from sleepsweep_analysis.report.exports import exports, section_files
from sleepsweep_analysis.report.files import write_all
from sleepsweep_analysis.report.page import html
from sleepsweep_analysis.report.sections import sections_of
from sleepsweep_analysis.study import Analysis

__all__ = ["compare", "write"]

PARQUET = ("trials.parquet", "subjects.parquet")


def write(analysis: Analysis, out: Path) -> Path:
    """Write the report of `analysis` into the folder `out`; return the page's path.

    All files are replaced at once: a report that fails leaves the old one.
    """
    study, sections = analysis.table.study, sections_of(analysis)
    files = exports(analysis, sections)
    page = html(
        sections, brand="Sweep report", title=study.name, question=study.question,
        files=[*files, *PARQUET],
    )  # fmt: skip
    write_all(out, {**files, "index.html": page}, analysis.table.write)
    return out / "index.html"


def compare(analyses: Sequence[Analysis], out: Path) -> Path:
    """Write two sweeps, or more, side by side into the folder `out`; return the page's path.

    Raises `TableError` where there are fewer than two.
    """
    sections, title = comparison(analyses)
    files = section_files(sections)
    page = html(sections, brand="Comparison of sweeps", title=title, question="", files=list(files))
    write_all(out, {**files, "index.html": page})
    return out / "index.html"
