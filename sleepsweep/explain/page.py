"""What a network uses as a page: heat maps of stages by bands and by time, and the numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sleepsweep import webpage
from sleepsweep.explain.effects import ALL
from sleepsweep.explain.occlusions import BandOcclusion, Fill, Occlusion, WindowOcclusion

MEASURES = {
    "probability": "probability of the scored stage",
    "f1": "F1",
    "log_odds": "log-odds of the scored stage",
}
"""What is lost, and what it is called; the first is shown first."""

POINTS = ("probability", "f1")
"""Measures that are told in points (0–100); log-odds are told as they are."""

FEW = 5
"""Of fewer subjects an interval says little."""


@dataclass(frozen=True)
class Explained:
    """What an explanation found: the tables of `effects` and `whole`, and what was taken out."""

    title: str
    whole: pd.DataFrame
    bands: pd.DataFrame
    windows: pd.DataFrame
    occlusions: Mapping[str, Sequence[Occlusion]]
    fill: Fill

    @property
    def subjects(self) -> int:
        """How many people were looked at."""
        return int(self.of_all["subjects"])

    @property
    def of_all(self) -> dict[str, Any]:
        """What is told of whole epochs of all stages together."""
        return next(row for row in _rows(self.whole) if row["stage"] == ALL)


@dataclass(frozen=True)
class Line:
    """A stage in the summary: how it is told whole, and the band that costs it most."""

    stage: str
    epochs: int
    probability: str
    f1: str
    band: str
    loss: str
    sure: bool


def write_page(explained: Explained, path: Path) -> None:
    """Write the page to the HTML file `path`. Raises `UserError` if it cannot be written."""
    webpage.write(html(explained), path)


def html(explained: Explained) -> str:
    """The whole page as text."""
    window = explained.occlusions["windows"][0]
    assert isinstance(window, WindowOcclusion)
    return webpage.render(
        Path(__file__).parent / "templates",
        title=explained.title,
        epochs=int(explained.of_all["epochs"]),
        subjects=explained.subjects,
        few=1 < explained.subjects < FEW,
        lines=list(lines(explained)),
        measures=MEASURES,
        fill=explained.fill,
        window_s=window.end_s - window.start_s,
        data={
            "bands": _map(explained.bands, [_band_label(b) for b in explained.occlusions["bands"]]),
            "windows": _map(explained.windows, [o.name for o in explained.occlusions["windows"]]),
        },
    )


def lines(explained: Explained) -> Iterator[Line]:
    """A line of the summary for each stage that was scored."""
    for row in _rows(explained.whole):
        mine = explained.bands[explained.bands["stage"] == row["stage"]]
        most = _rows(mine.nlargest(1, "probability"))[0]
        interval = f" ({_points(most['probability_low'])} to {_points(most['probability_high'])})"
        known = bool(most["probability_low"] == most["probability_low"])
        yield Line(
            stage="all stages" if row["stage"] == ALL else str(row["stage"]),
            epochs=int(row["epochs"]),
            probability=_points(row["probability"]),
            f1=_points(row["f1"]),
            band=str(most["without"]) if most["probability"] > 0 else "nothing",
            loss=_points(most["probability"]) + (interval if known else " (no interval)"),
            sure=not known or not most["probability_low"] <= 0 <= most["probability_high"],
        )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _points(value: Any) -> str:
    return f"{100 * value:z.1f}".replace("-", "−")


def _band_label(band: Occlusion) -> str:
    assert isinstance(band, BandOcclusion)
    return f"{band.low_hz:g}–{band.high_hz:.4g} Hz"


def _map(table: pd.DataFrame, labels: Sequence[str]) -> dict[str, Any]:
    """The numbers of a heat map: a row a stage, a column for each thing taken out."""
    stages, names = (list(dict.fromkeys(table[key])) for key in ("stage", "without"))

    def grid(column: str, scale: float, digits: int) -> list[list[float | None]]:
        shaped = table.pivot(index="stage", columns="without", values=column).loc[stages, names]
        # JSON has neither NaN nor infinity.
        return [
            [round(scale * value, digits) if np.isfinite(value) else None for value in row]
            for row in shaped.to_numpy(float).tolist()
        ]

    cells = {
        key: [
            grid(f"{key}{end}", *((100, 2) if key in POINTS else (1, 3)))
            for end in ("", "_low", "_high")
        ]
        for key in MEASURES
    }
    return {
        "stages": stages, "names": names, "labels": list(labels), "measures": cells,
        "changed": grid("changed", 100, 1),
    }  # fmt: skip
