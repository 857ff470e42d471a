"""From a sweep's results table to a ranking with intervals, and a report that can be read offline.

    >>> analysis = analyse(load(Path("runs/aug_ablation")))     # doctest: +SKIP
    >>> report(analysis, Path("runs/aug_ablation/report"))      # doctest: +SKIP

Loads no torch, ray or mlflow: a report is drawn again anywhere from the parquet files alone.
"""

from collections.abc import Sequence
from pathlib import Path

from sleepsweep_analysis.estimates.power import power
from sleepsweep_analysis.reading import load
from sleepsweep_analysis.report import compare as compare_sweeps
from sleepsweep_analysis.report import write
from sleepsweep_analysis.study import Analysis, analyse

__all__ = ["Analysis", "analyse", "compare", "load", "power", "report"]


# Defined after the module of the same name is loaded, and so what `sleepsweep_analysis.report` is.
def report(analysis: Analysis, out: Path) -> Path:
    """Write ``index.html`` and what it exports into the folder `out`; return the page's path."""
    return write(analysis, Path(out))


def compare(analyses: Sequence[Analysis], out: Path) -> Path:
    """Write two sweeps, or more, side by side into the folder `out`; return the page's path.

    Differences are those from the first. Raises `TableError` for fewer than two.
    """
    return compare_sweeps(analyses, Path(out))
