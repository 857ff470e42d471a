"""A predicted hypnogram as a PNG file: the stages, and below them the probabilities."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sleepsweep.metrics import STAGES
from sleepsweep.pictures import LINE, SOFT, STAGE_COLOURS, TEXT, picture
from sleepsweep.predict.prediction import Prediction
from sleepsweep.predict.report import NightReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = {stage: -place for place, stage in enumerate(("W", "R", "N1", "N2", "N3"))}
"""How high each stage is drawn: as hypnograms have them by custom."""

STACKED = ("N3", "N2", "N1", "R", "W")
"""From bottom to top, so that deep sleep is below."""


def write_image(report: NightReport, path: Path) -> None:
    """Draw the hypnogram and the probabilities, and the reference where there is one.

    Raises `UserError` if it cannot be written.
    """
    prediction, agreement = report.prediction, report.agreement
    rows = {"predicted": prediction.stages}
    if agreement is not None:
        rows["reference"] = agreement.reference
    with picture(path, report.heading, 11.0, 3.2 + 1.9 * len(rows)) as axes:
        grid = axes.figure.add_gridspec(len(rows) + 1, 1)
        axes.set_subplotspec(grid[0])
        others = [axes.figure.add_subplot(grid[n], sharex=axes) for n in range(1, len(rows) + 1)]
        for place, (name, stages) in zip([axes, *others], rows.items(), strict=False):
            _draw_hypnogram(place, _hours(prediction), stages, name)
        _draw_probabilities(others[-1], prediction)
        _name_times(others[-1], prediction)


def _hours(prediction: Prediction) -> NDArray[np.float64]:
    """Where epochs begin, and the last one ends, (epoch + 1,)."""
    onsets_s, night = prediction.onsets_s, prediction.night
    return np.append(onsets_s, onsets_s[-1] + night.epoch_s) / 3600


def _draw_hypnogram(
    axes: "Axes", hours: NDArray[np.float64], stages: NDArray[np.int8], name: str
) -> None:
    levels = np.array([*(LEVELS[stage] for stage in STAGES), np.nan])[stages]
    axes.step(hours, np.append(levels, levels[-1]), where="post", color="#9aa5b1", linewidth=0.5)
    for code, stage in enumerate(STAGES):
        here = np.flatnonzero(stages == code)
        axes.hlines(
            np.full(len(here), LEVELS[stage]), hours[here], hours[here + 1],
            color=STAGE_COLOURS[stage], linewidth=4,
        )  # fmt: skip
    axes.set_yticks(list(LEVELS.values()), list(LEVELS))
    axes.set_ylim(-4.6, 0.6)
    axes.set_ylabel(name, color=TEXT)
    _finish(axes)
    axes.tick_params(labelbottom=False)


def _draw_probabilities(axes: "Axes", prediction: Prediction) -> None:
    shares = np.nan_to_num(prediction.probabilities)
    shares = np.vstack([shares, shares[-1:]]).T
    axes.stackplot(
        _hours(prediction), *(shares[STAGES.index(stage)] for stage in STACKED),
        colors=[STAGE_COLOURS[stage] for stage in STACKED], labels=STACKED, step="post",
        linewidth=0,
    )  # fmt: skip
    axes.set_ylim(0, 1)
    axes.set_ylabel("probability", color=TEXT)
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, labelcolor=TEXT, reverse=True,
        handlelength=1.0,
    )  # fmt: skip
    _finish(axes)


def _name_times(axes: "Axes", prediction: Prediction) -> None:
    ticks = prediction.night.ticks()
    every = -(-len(ticks) // 14)
    shown = ticks[::every]
    axes.set_xticks([hours for hours, _ in shown], [text for _, text in shown])
    hours = _hours(prediction)
    axes.set_xlim(hours[0], hours[-1])
    dated = prediction.night.start is not None
    axes.set_xlabel("time of day" if dated else "hours since the start", color=TEXT)


def _finish(axes: "Axes") -> None:
    axes.tick_params(colors=SOFT, labelcolor=TEXT, length=0)
    axes.grid(axis="x", color="#eef1f4")
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_color(LINE)
