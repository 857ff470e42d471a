"""A latent space as a page: its planes, coloured by stage or by subject, and its measures."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep import webpage
from sleepsweep.latent.colours import looks_of, order_of
from sleepsweep.latent.embedded import Embedded
from sleepsweep.latent.measures import LABELS, MEASURES, Measure
from sleepsweep.metrics import STAGES
from sleepsweep.pictures import shortened
from sleepsweep.seeds import numpy_generator

MOST_DRAWN = 3000
"""Epochs drawn in a plane; of more, a sample with the same shares of stages and subjects."""


@dataclass(frozen=True)
class Row:
    """A measure on the page: a value or a dash for each space, and why it is a dash."""

    measure: Measure
    cells: Sequence[tuple[str, str]]


def write_page(
    embedded: Embedded,
    planes: Mapping[str, NDArray[np.floating]],
    table: pd.DataFrame,
    path: Path,
    title: str,
) -> None:
    """Write planes (epoch, 2) and the table of `measure` to the HTML file `path`.

    Raises `UserError` if it cannot be written.
    """
    webpage.write(html(embedded, planes, table, title), path)


def html(
    embedded: Embedded, planes: Mapping[str, NDArray[np.floating]], table: pd.DataFrame, title: str
) -> str:
    """The whole page as text."""
    spaces = list(dict.fromkeys(table["space"]))
    return webpage.render(
        Path(__file__).parent / "templates",
        title=title,
        epochs=len(embedded),
        drawn=min(len(embedded), MOST_DRAWN),
        subjects=len(np.unique(embedded.subjects)),
        names=[label_of(name) for name in planes],
        spaces=[label_of(space) for space in spaces],
        rows=list(_rows(table, spaces)),
        notes=_notes(table),
        data=_drawn(embedded, planes),
    )


def label_of(space: str) -> str:
    """What a space is called where people read it."""
    return LABELS.get(space, space)


def _rows(table: pd.DataFrame, spaces: Sequence[str]) -> Iterator[Row]:
    for name, of_measure in table.groupby("measure", sort=False):
        found = of_measure.set_index("space")
        known = Measure(str(name), str(of_measure["better"].iloc[0]), "")
        cells = [
            _cell(found.loc[space, "value"], str(found.loc[space, "note"]))
            if space in found.index else ("", "")
            for space in spaces
        ]  # fmt: skip
        yield Row(MEASURES.get(str(name), known), cells)


def _cell(value: Any, note: str) -> tuple[str, str]:
    return ("–" if np.isnan(value) else f"{value:.3f}".replace("-", "−"), note)


def _notes(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Each reason for a dash, with what it is the reason for."""
    missing = table[table["note"] != ""]
    return [
        (
            ", ".join(
                f"{MEASURES[name].label if name in MEASURES else name} ({label_of(space)})"
                for name, space in zip(group["measure"], group["space"], strict=True)
            ),
            str(note),
        )
        for note, group in missing.groupby("note", sort=False)
    ]


def _drawn(embedded: Embedded, planes: Mapping[str, NDArray[np.floating]]) -> dict[str, Any]:
    # In a random order, or the last label would lie on top of the others.
    rows = numpy_generator("order of drawing").permutation(embedded.sample_rows(MOST_DRAWN))
    return {
        "planes": [
            {
                "axis": escape(shortened(label_of(name))),
                "ticks": name == "pca",
                "x": _coordinates(plane[rows, 0]),
                "y": _coordinates(plane[rows, 1]),
            }
            for name, plane in planes.items()
        ],
        "labels": {
            "stage": _labels([STAGES[stage] for stage in embedded.stages.tolist()], rows),
            "subject": _labels(embedded.subjects.tolist(), rows),
        },
    }


def _coordinates(values: NDArray[np.floating]) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def _labels(names: Sequence[str], rows: NDArray[np.int64]) -> dict[str, Any]:
    """The distinct names, how they look, and the place among them of those of the drawn rows."""
    order = order_of(names)
    looks, counts = looks_of(order), Counter(names)
    places = {name: place for place, name in enumerate(order)}
    return {
        "names": [shortened(name) for name in order],
        # Plotly reads a little HTML in every text.
        "hovers": [escape(shortened(name)) for name in order],
        "counts": [counts[name] for name in order],
        "colours": [looks[name].colour for name in order],
        "symbols": [looks[name].symbol for name in order],
        "codes": [places[names[row]] for row in rows],
    }
