"""The report: one HTML page that needs nothing but a browser, and its tables as CSV beside it.

Plotly is embedded once; a content-security policy in the page forbids every request. Whatever
comes from the data is escaped: by jinja2 in the page, and as \\u003c in the JSON of the figures.
"""

import json
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from sleepsweep_analysis import words
from sleepsweep_analysis.comparable import CHANCE
from sleepsweep_analysis.figures import Figure, figures
from sleepsweep_analysis.forest import COLOURS
from sleepsweep_analysis.methods import SOURCES, methods, noise
from sleepsweep_analysis.study import Analysis

__all__ = ["exports", "html", "write"]

PACKAGES = ("sleepsweep", "numpy", "scipy", "pandas", "plotly")


def write(analysis: Analysis, out: Path) -> Path:
    """Write ``index.html`` and the CSV files into `out`, each atomically; return the page."""
    out.mkdir(parents=True, exist_ok=True)
    for name, frame in exports(analysis).items():
        _write(out / name, frame.to_csv(index=False, float_format="%.6g"))
    page = out / "index.html"
    _write(page, html(analysis))
    return page


def exports(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """The tables that are written beside the page, by file name."""
    rungs = ["trial", "kind", "block", "rung", "step", "decision", "points", "policy"]
    trials = ["trial", "order", "kind", "design", "block", "policy", "size", "decision", "rung",
              "step", "macro_f1", "time_s"]  # fmt: skip
    return {
        "categories.csv": analysis.categories,
        "augmentations.csv": analysis.effects,
        "sizes.csv": analysis.size_curve,
        "leaderboard.csv": analysis.leaderboard,
        "warnings.csv": pd.DataFrame([asdict(check) for check in analysis.checks]),
        "trials.csv": analysis.trials[trials],
        "rungs.csv": analysis.chosen.rows[rungs],
    }


def html(analysis: Analysis) -> str:
    """The whole page as text."""
    environment = Environment(
        loader=PackageLoader("sleepsweep_analysis"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"points": _points, "signed": words.signed, "p": _p, "share": _share}
    drawn = figures(analysis)
    return environment.get_template("report.html.j2").render(
        study=analysis.table.study,
        verdict=words.verdict(analysis),
        checks=analysis.checks,
        figures=drawn,
        figures_json=_json(drawn),
        plotly=Markup(get_plotlyjs()),
        css=Markup(_template("report.css")),
        js=Markup(_template("report.js")),
        colours=COLOURS,
        categories=_records(analysis.categories),
        augmentations=_records(analysis.effects),
        sizes=_records(analysis.size_curve),
        board=_records(analysis.leaderboard),
        board_finding=words.board_finding(analysis),
        left_out=_records(analysis.chosen.left_out),
        run=_facts(analysis),
        noise=noise(analysis),
        provenance=_provenance(analysis),
        methods=methods(analysis),
        sources=SOURCES,
        files=list(exports(analysis)),
    )


def _facts(analysis: Analysis) -> list[tuple[str, str]]:
    """What was run, as pairs of a word and its value."""
    study, trials = analysis.table.study, analysis.trials
    seconds = float(trials["time_s"].sum())
    people = ", ".join(f"{count} {role}" for role, count in study.subjects.items())
    splits = int(trials["split"].nunique())
    largest = analysis.chosen.largest
    facts = [
        ("Data", study.data),
        ("Subjects", people),
        ("Blocks", f"{trials['block'].nunique()} over {words.plural(splits, 'subject split')}"),
        ("Policies drawn", f"{study.sampler}; sizes {study.sizes[0]}–{study.sizes[1] or largest}"),
        ("Training", f"{study.steps:,} optimiser steps at full length" if study.steps else ""),
        ("Time on trials", _duration(seconds) if np.isfinite(seconds) else ""),
    ]
    if analysis.chosen.collapsed:
        facts.append(("Collapsed trials", f"{len(analysis.chosen.collapsed)}; {CHANCE}"))
    return [(name, value) for name, value in facts if value]


def _provenance(analysis: Analysis) -> list[tuple[str, str]]:
    study, trials = analysis.table.study, analysis.table.trials
    pairs = [("Sweep", study.name), ("Command", study.command), ("Created", study.created)]
    columns = {"Code version": "version", "Data hash": "data_hash", "Split hashes": "split_hash",
               "Seeds": "seed", "Hosts": "host", "Devices": "device", "Batch sizes": "batch_size",
               "Stopping rule": "stop_rule", "Scored on": "selected_on"}  # fmt: skip
    for name, column in columns.items():
        found = sorted({str(value) for value in trials[column]} - {"", "nan"})
        more = f" and {len(found) - 12} more" if len(found) > 12 else ""
        pairs.append((name, ", ".join(found[:12]) + more))
    pairs += [(f"{name}, when run", text) for name, text in study.versions.items()]
    drawn = {"python": platform.python_version(), **{p: _version(p) for p in PACKAGES}}
    pairs.append(("This report", ", ".join(f"{name} {text}" for name, text in drawn.items())))
    pairs.append(("Analysis seed", str(analysis.seed)))
    return [(name, value) for name, value in pairs if value]


def _json(drawn: dict[str, Figure]) -> Markup:
    """The figures as JSON that no name in it can leave: <, > and & are written as \\u escapes."""
    parts = {
        key: {"data": figure.data, "layout": figure.layout, "narrow": figure.narrow}
        for key, figure in drawn.items()
    }
    text = json.dumps(_plain(parts), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _plain(value: Any) -> Any:
    """`value` with NumPy scalars as Python's and NaN as null, as JSON wants."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _template(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _points(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else "–"


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}"


def _share(value: float) -> str:
    return f"{value:.0%}" if value >= 0.005 or value == 0 else "< 1%"


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60:.0f} s"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
