"""What is written beside the page: tables, figures, and the headline numbers as JSON.

Tables are called as the fields of `Analysis` are. A table whose claim a warning refuses is left
out, here as on the page.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from sleepsweep_analysis.figures.palette import resolved
from sleepsweep_analysis.keyresults import key_results
from sleepsweep_analysis.report.jsontext import plain, records, text
from sleepsweep_analysis.report.section import Section, Table
from sleepsweep_analysis.report.textable import latex, markdown
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words.summary import verdict_pairs

__all__ = ["RESULTS_VERSION", "exports", "results", "section_files"]

RESULTS_VERSION = 1
"""Version of the layout of ``results.json``; raised when a key changes its meaning or goes."""

HEADLINES = (
    "confirmation", "baselines", "categories", "effects", "size_curve", "interactions", "optima",
    "covariates", "robustness", "crosschecks", "leaderboard", "stages", "variance", "runs_needed",
    "fidelity", "contrast", "sensitivity",
)  # fmt: skip
"""Tables inside ``results.json``."""

LONG = ("composition", "doses", "screen", "subjects")
"""Tables of `Analysis` that are written beside the page only."""

WITHHELD = {
    "ranking": ("effects", "categories", "doses", "optima", "robustness", "stages", "screen",
                "crosschecks", "sensitivity"),
    "size": ("size_curve",),
    "interactions": ("interactions",),
}  # fmt: skip


def exports(analysis: Analysis, sections: Sequence[Section]) -> dict[str, str]:
    """Names of the files beside the page of `analysis`, with their content."""
    files = section_files(sections)
    for name, frame in _frames(analysis).items():
        files.setdefault(f"tables/{name}.csv", _csv(frame))
    files["results.json"] = text(results(analysis))
    files["key_results.json"] = text(key_results(analysis))
    files["checks.json"] = text([asdict(check) for check in analysis.checks])
    return files


def section_files(sections: Sequence[Section]) -> dict[str, str]:
    """The tables and figures of `sections` as files."""
    files: dict[str, str] = {}
    for table in (table for section in sections for table in section.tables):
        files |= _table_files(table)
    for figure in (figure for section in sections for figure in section.figures):
        files.setdefault(f"tables/{figure.table}.csv", _csv(figure.frame))
        about = {"title": figure.title, "finding": figure.finding, "n": figure.n,
                 "estimand": figure.estimand, "estimator": figure.estimator}  # fmt: skip
        for n, panel in enumerate(figure.panels, 1):
            number = f"-{n}" if len(figure.panels) > 1 else ""
            drawn = {"data": panel.data, "layout": {**panel.layout, "meta": about}}
            files[f"figures/{figure.id}{number}.json"] = text(resolved(plain(drawn)))
    return files


def results(analysis: Analysis) -> dict[str, Any]:
    """The headline numbers, for programs: see analysis/README.md for the keys."""
    study, rows = analysis.table.study, analysis.chosen.rows
    frames = _frames(analysis)
    return {
        "schema": "sleepsweep.results",
        "schema_version": RESULTS_VERSION,
        "sweep": study.name,
        "question": study.question,
        "created": study.created,
        "seed": analysis.seed,
        "counts": {
            "trials": analysis.chosen.n_trials,
            "scores": len(rows),
            "blocks": int(rows["block"].nunique()),
            "collapsed": len(analysis.chosen.collapsed),
        },
        "verdict": [{"about": word, "sentence": said} for word, said in verdict_pairs(analysis)],
        "refused": dict(analysis.refused),
        "warnings": {check.code: check.level for check in analysis.checks},
        "tables": {name: records(frames[name]) for name in HEADLINES if name in frames},
    }


def _frames(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """The tables of `analysis` by name, without those of refused claims."""
    hidden = {name for claim in analysis.refused for name in WITHHELD.get(claim, ())}
    return {name: getattr(analysis, name) for name in HEADLINES + LONG if name not in hidden}


def _table_files(table: Table) -> dict[str, str]:
    stem = f"tables/{table.name}"
    return {
        f"{stem}.csv": _csv(table.frame),
        f"{stem}.md": markdown(table),
        f"{stem}.tex": latex(table),
    }


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, float_format="%.6g")
