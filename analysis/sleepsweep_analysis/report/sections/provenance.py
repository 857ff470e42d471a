"""15 · Provenance: code, versions, data and split hashes, seeds, command, and the files."""

import platform
from importlib.metadata import PackageNotFoundError, version

from sleepsweep_analysis.report.section import Downloads, Facts, Section
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words.numbers import shortened

__all__ = ["build"]

PACKAGES = ("sleepsweep", "numpy", "scipy", "scikit-learn", "pandas", "plotly")
COLUMNS = {
    "Code version": "version", "Data hash": "data_hash", "Split hashes": "split_hash",
    "Seeds": "seed", "Hosts": "host", "Devices": "device", "Batch sizes": "batch_size",
    "Stopping rule": "stop_rule", "Scored on": "selected_on", "Splits from": "split_from",
}  # fmt: skip
MOST = 12


def build(analysis: Analysis) -> Section:
    """Where the numbers of `analysis` come from."""
    study, trials = analysis.table.study, analysis.table.trials
    pairs = [("Sweep", study.name), ("Command", study.command), ("Created", study.created)]
    for name, column in COLUMNS.items():
        found = sorted({shortened(value, 60) for value in trials[column]} - {"", "nan"})
        more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
        pairs.append((name, ", ".join(found[:MOST]) + more))
    pairs += [(f"{name}, when run", text) for name, text in study.versions.items()]
    drawn = {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}
    pairs.append(("This report", ", ".join(f"{name} {text}" for name, text in drawn.items())))
    pairs.append(("Analysis seed", str(analysis.seed)))
    facts = Facts([(name, value) for name, value in pairs if value], wide=True)
    return Section("provenance", "Provenance", (facts, Downloads()))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
