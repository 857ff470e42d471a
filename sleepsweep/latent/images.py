"""A plane of a latent space as a PNG file."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sleepsweep.latent.colours import MOST, Look, looks_of, order_of
from sleepsweep.metrics import STAGES
from sleepsweep.pictures import TEXT, literal, picture, shortened
from sleepsweep.seeds import numpy_generator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = {"circle": "o", "square": "s", "triangle-up": "^"}
OTHERS = Look("#c9ced4", "circle")


def write_image(
    plane: NDArray[np.floating], labels: ArrayLike, path: Path, title: str, axis: str = "Axis"
) -> None:
    """Draw a plane (epoch, 2), coloured by `labels` (epoch,), with a legend, as a PNG file.

    Labels are names, of subjects for instance, or stages as numbers 0–4. Of more than 24 the rest
    are grey. `axis` names the axes. Raises `UserError` if the file cannot be written.
    """
    points, names = np.asarray(plane, dtype=np.float64), _names(np.asarray(labels))
    if points.shape != (len(names), 2):
        raise ValueError(f"plane: shape {points.shape}, where {(len(names), 2)} is meant.")
    order = order_of(names)
    looks = dict.fromkeys(order, OTHERS) | looks_of(order[:MOST])
    with picture(path, title, 7.2, 5.6) as axes:
        _scatter(axes, points, [looks[name] for name in names])
        axes.set_xlabel(literal(f"{axis} 1"), color=TEXT)
        axes.set_ylabel(literal(f"{axis} 2"), color=TEXT)
        _legend(axes, names, order, looks)


def _names(labels: NDArray[np.generic]) -> list[str]:
    if not np.issubdtype(labels.dtype, np.integer):
        return [str(label) for label in labels]
    if not np.isin(labels, range(len(STAGES))).all():
        raise ValueError(f"labels: {np.unique(labels)}, where stages 0–4 or names are meant.")
    return [STAGES[number] for number in labels.tolist()]


def _scatter(axes: "Axes", points: NDArray[np.float64], looks: Sequence[Look]) -> None:
    size = float(np.clip(20_000 / max(len(points), 1), 5, 40))
    # In a random order, or the last label would lie on top of the others.
    order = numpy_generator("order of drawing").permutation(len(points))
    for symbol, marker in MARKERS.items():
        rows = [row for row in order if looks[row].symbol == symbol]
        colours = [looks[row].colour for row in rows]
        across, up = points[rows].T
        axes.scatter(across, up, s=size, c=colours, marker=marker, alpha=0.7, linewidths=0)
    axes.set_aspect("equal", adjustable="datalim")
    axes.grid(color="#eef1f4")
    axes.set_axisbelow(True)


def _legend(
    axes: "Axes", names: Sequence[str], order: Sequence[str], looks: dict[str, Look]
) -> None:
    from matplotlib.lines import Line2D

    def entry(look: Look, text: str) -> Line2D:
        marker = MARKERS[look.symbol]
        return Line2D([], [], linestyle="", marker=marker, color=look.colour, label=text)

    counts = Counter(names)
    entries = [
        entry(looks[name], f"{literal(shortened(name))}  ({counts[name]:,})")
        for name in order[:MOST]
    ]
    if len(order) > MOST:
        entries.append(entry(OTHERS, f"{len(order) - MOST:,} others"))
    axes.legend(
        handles=entries, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False,
        labelcolor=TEXT, fontsize=9,
    )  # fmt: skip
