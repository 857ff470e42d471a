"""12 · Confusion matrices: highest policy, baseline, and their difference."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.figures.figure import Figure, Panel
from sleepsweep_analysis.figures.heatmap import heatmap
from sleepsweep_analysis.report.section import Section, Text
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words.numbers import count, signed
from sleepsweep_analysis.words.subjects import STAGES, confusion_finding

__all__ = ["build"]

NAMES = {"best": "Highest policy", "baseline": "No augmentation"}


def build(analysis: Analysis) -> Section:
    """The confusion matrices of `analysis`."""
    recorded = analysis.confusions
    found = {key: np.asarray(recorded[key]) for key in NAMES if key in recorded}
    if not found:
        return Section("confusions", "Confusion matrices", (Text(confusion_finding({})),))
    rates = {key: _rates(matrix) for key, matrix in found.items()}
    panels = [_matrix(rates[key], found[key], NAMES[key]) for key in found]
    if len(found) == 2:
        panels.append(_difference(rates["best"] - rates["baseline"]))
    epochs = " and ".join(count(int(matrix.sum())) for matrix in found.values())
    figure = Figure(
        id="confusions",
        title="Of each reference stage, how many epochs were called what (%)",
        finding=confusion_finding(found),
        n=f"{epochs} epochs",
        estimand="share of a stage's epochs (rows: reference, columns: predicted)",
        estimator="counts over the subjects of one block, pooled",
        table="confusions",
        frame=_frame(found),
        panels=tuple(panels),
        columns=3,
    )
    return Section("confusions", "Confusion matrices", (figure,))


def _rates(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    total = matrix.sum(axis=1, keepdims=True).astype(float)
    return np.asarray(100 * matrix / np.where(total > 0, total, np.nan))


def _matrix(rates: NDArray[np.float64], counts: NDArray[np.int64], title: str) -> Panel:
    text = [["–" if np.isnan(v) else f"{v:.0f}" for v in row] for row in rates]
    epochs = f"{int(counts.sum()):,} epochs"
    panel = heatmap(rates, STAGES, STAGES, text=text, hover="%{z:.1f} %", span=100.0,
                    title="predicted", row_height=44)  # fmt: skip
    return replace(panel, title=title, note=epochs, narrow={}, narrow_data=[])


def _difference(change: NDArray[np.float64]) -> Panel:
    text = [["–" if np.isnan(v) else signed(v) for v in row] for row in change]
    panel = heatmap(change, STAGES, STAGES, text=text, hover="%{z:+.1f} points", diverging=True,
                    title="predicted", row_height=44)  # fmt: skip
    return replace(panel, title="Difference", note="points", narrow={}, narrow_data=[])


def _frame(found: dict[str, NDArray[np.int64]]) -> pd.DataFrame:
    rows = [
        (NAMES[key], reference, *matrix[n].tolist())
        for key, matrix in found.items() for n, reference in enumerate(STAGES)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["policy", "reference", *STAGES])
