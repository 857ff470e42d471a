"""A predicted night as a page: hypnogram, probabilities, sleep statistics, agreement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepsweep import webpage
from sleepsweep.metrics import STAGES
from sleepsweep.pictures import STAGE_COLOURS
from sleepsweep.predict.agreement import Agreement
from sleepsweep.predict.report import NightReport
from sleepsweep.predict.wording import MEASURES, STATISTICS, told


@dataclass(frozen=True)
class Row:
    """A line of a table: its name, its unit, and a cell a column."""

    name: str
    unit: str
    cells: Sequence[str]


def write_page(report: NightReport, path: Path) -> None:
    """Write the page to the HTML file `path`. Raises `UserError` if it cannot be written."""
    webpage.write(html(report), path)


def html(report: NightReport) -> str:
    """The whole page as text."""
    prediction, agreement = report.prediction, report.agreement
    night = prediction.night
    return webpage.render(
        Path(__file__).parent / "templates",
        title=night.path.name,
        facts={
            "Model": report.model,
            "Derivation": ", ".join(night.derivations),
            "Recorded": f"{night.start:%Y-%m-%d %H:%M}" if night.start else "date withheld",
            "Epochs": f"{night.count:,} of {night.epoch_s:g} s",
            "Unsure": report.unsure,
        },
        notes=report.notes(),
        columns=list(report.statistics),
        statistics=list(_statistics(report)),
        agreement=agreement,
        measures=list(_measures(agreement)) if agreement else [],
        stages=STAGES,
        cells=list(_cells(agreement)) if agreement else [],
        data=_drawn(report),
    )


def _statistics(report: NightReport) -> Iterator[Row]:
    for name, (label, unit) in STATISTICS.items():
        cells = [told(each[name], 0 if unit == "min" else 1) for each in report.statistics.values()]
        yield Row(label, unit, cells)


def _measures(agreement: Agreement) -> Iterator[Row]:
    measures = agreement.measures()
    for name, label in MEASURES.items():
        yield Row(label, "", [told(measures[name], 3)])


def _cells(agreement: Agreement) -> Iterator[tuple[str, int, list[tuple[int, float]]]]:
    for stage, row in zip(STAGES, agreement.matrix, strict=True):
        total = int(row.sum())
        yield stage, total, [(int(count), count / max(total, 1)) for count in row]


def _drawn(report: NightReport) -> dict[str, Any]:
    prediction, agreement = report.prediction, report.agreement
    night = prediction.night
    hypnograms = {"predicted": _codes(prediction.stages)}
    if agreement is not None:
        hypnograms["reference"] = _codes(agreement.reference)
    return {
        "stages": STAGES,
        "colours": [STAGE_COLOURS[stage] for stage in STAGES],
        "first": night.first_s / 3600,
        "step": night.epoch_s / 3600,
        "starts": night.starts_s / 3600,
        "dated": night.start is not None,
        "ticks": night.ticks(),
        "hypnograms": hypnograms,
        "probabilities": [
            [None if np.isnan(p) else round(float(p), 3) for p in column]
            for column in prediction.probabilities.T
        ],
    }


def _codes(stages: NDArray[np.int8]) -> list[int | None]:
    return [stage if stage >= 0 else None for stage in stages.tolist()]
