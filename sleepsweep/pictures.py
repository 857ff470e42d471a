"""Pictures as PNG files, drawn by matplotlib without a screen and without its global state."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sleepsweep.metrics import STAGES, Confusion
from sleepsweep.replacing import replacing, writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DPI = 150
TEXT, SOFT, LINE = "#1f2933", "#52606d", "#e1e5ea"

STAGE_COLOURS = dict(
    zip(STAGES, ("#E69F00", "#56B4E9", "#0072B2", "#CC79A7", "#009E73"), strict=True)
)
"""Okabe & Ito 2008, Color Universal Design: colour-blind readers tell them apart."""

EMPTY, FULL = "#eef3f7", "#004B78"
"""The colours of 0 and of 100 %."""


@contextmanager
def picture(path: Path, title: str, width: float, height: float) -> Iterator["Axes"]:
    """Give axes to draw on, `width` × `height` inches; then write them to `path`, a PNG file.

    The file is whole or not there. Raises `UserError` if it cannot be written.
    """
    # A second, which only those who draw should wait for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(literal(title), loc="left", color=TEXT, fontsize=12, wrap=True, pad=10)
    axes.tick_params(colors=SOFT, labelcolor=TEXT, length=0)
    for side in axes.spines.values():
        side.set_color(LINE)
    yield axes
    with writing(path), replacing(path) as partial:
        figure.savefig(partial, format="png")


def literal(text: object) -> str:
    """`text` on one line, with no dollar read as mathematics."""
    return " ".join(str(text).split()).replace("$", r"\$")


def shortened(text: str, longest: int = 24) -> str:
    """`text`, cut where it is longer than `longest` letters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def write_confusion_image(matrix: Confusion, path: Path, title: str) -> None:
    """Draw a confusion matrix (5, 5), rows the reference, as a PNG file.

    A cell shows its share of the row in per cent and its epochs; the row of a stage that is absent
    from the reference shows no shares. Raises `UserError` if the file cannot be written.
    """
    from matplotlib.colors import LinearSegmentedColormap

    counts = np.asarray(matrix)
    if counts.shape != (len(STAGES), len(STAGES)):
        raise ValueError(f"matrix: shape {counts.shape}, where (5, 5) is meant.")
    totals = counts.sum(axis=1, keepdims=True)
    shares = 100 * counts / np.maximum(totals, 1)
    with picture(path, title, 5.6, 5.2) as axes:
        colours = LinearSegmentedColormap.from_list("shares", [EMPTY, "#5FA3CD", FULL])
        axes.imshow(shares, vmin=0, vmax=100, cmap=colours)
        for row, column in np.ndindex(counts.shape):
            share = f"{shares[row, column]:.1f} %" if totals[row, 0] else "–"
            ink = "white" if shares[row, column] > 50 else TEXT
            axes.text(column, row - 0.1, share, ha="center", va="center", color=ink, fontsize=11)
            count = f"{counts[row, column]:,}"
            axes.text(column, row + 0.22, count, ha="center", va="center", color=ink, fontsize=8)
        _name_cells(axes, totals[:, 0].tolist())


def _name_cells(axes: "Axes", totals: list[int]) -> None:
    places = np.arange(len(STAGES))
    axes.set_xticks(places, STAGES)
    axes.set_yticks(places, [f"{stage}\n{n:,}" for stage, n in zip(STAGES, totals, strict=True)])
    axes.set_xlabel("Predicted stage", color=TEXT)
    axes.set_ylabel("Reference stage, and its epochs", color=TEXT)
    axes.set_xticks(places[1:] - 0.5, minor=True)
    axes.set_yticks(places[1:] - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
