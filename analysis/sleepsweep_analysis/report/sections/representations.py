"""13 · Representations: does the embedding hold the stages, and does it hold who slept?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.figures.figure import Figure, Panel
from sleepsweep_analysis.figures.scatter import STAGE_KEY, plane
from sleepsweep_analysis.policies.representations import Representation
from sleepsweep_analysis.report.columns import share, text
from sleepsweep_analysis.report.section import Section, Table, Text
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words.numbers import count
from sleepsweep_analysis.words.subjects import embedding_finding

__all__ = ["build"]

MOST = 1200
"""Epochs drawn in a panel; of more, evenly spaced ones."""

NAMES = {"best": "Highest policy", "baseline": "No augmentation"}


def build(analysis: Analysis) -> Section:
    """The representations of `analysis`."""
    recorded = analysis.representations
    found = {key: recorded[key] for key in NAMES if key in recorded}
    title = "Representations"
    if not found:
        return Section("representations", title, (Text(embedding_finding({})),))
    panels = [panel for key, one in found.items() for panel in _panels(NAMES[key], one)]
    epochs = " and ".join(count(len(one.stage)) for one in found.values())
    drawn = sum(min(len(one.stage), MOST) for one in found.values())
    figure = Figure(
        id="representations",
        title="Embeddings of epochs, by sleep stage",
        finding=embedding_finding(found),
        n=f"{epochs} epochs; drawn: {drawn:,} in each kind of plane",
        estimand="where epochs lie in the frozen encoder's space, flattened to two dimensions",
        estimator="principal components; UMAP where it was computed. Distances in a UMAP plane "
        "mean little",
        table="representations",
        frame=_points(found),
        panels=tuple(panels),
        key=STAGE_KEY,
        columns=2,
    )
    return Section("representations", title, (figure, _table(found)))


def _panels(name: str, one: Representation) -> list[Panel]:
    keep = _kept(len(one.stage))
    stages = np.asarray(one.stage)[keep]
    panels = [plane(np.asarray(one.pca)[keep], stages, f"{name}, PCA", "component")]
    if one.umap is not None:
        panels.append(plane(np.asarray(one.umap)[keep], stages, f"{name}, UMAP", "axis"))
    return panels


def _kept(many: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, many - 1, min(many, MOST)).round().astype(int))


def _points(found: Mapping[str, Representation]) -> pd.DataFrame:
    parts = []
    for key, one in found.items():
        frame = pd.DataFrame({"policy": NAMES[key], "subject": one.subject, "stage": one.stage,
                              "pca_1": one.pca[:, 0], "pca_2": one.pca[:, 1]})  # fmt: skip
        if one.umap is not None:
            frame = frame.assign(umap_1=one.umap[:, 0], umap_2=one.umap[:, 1])
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def _table(found: Mapping[str, Representation]) -> Table:
    frame = pd.DataFrame(
        {
            "policy": [NAMES[key] for key in found],
            "knn_stage": [one.knn_stage for one in found.values()],
            "knn_subject": [one.knn_subject for one in found.values()],
            "chance_subject": [one.chance_subject for one in found.values()],
        }
    )
    return Table(
        name="neighbours",
        title="What the nearest neighbours of an epoch tell",
        frame=frame,
        columns=(
            text("policy", "Policy"),
            share("knn_stage", "Its stage"),
            share("knn_subject", "Its subject"),
            share("chance_subject", "Subject, by guessing"),
        ),
        note="Accuracy of a vote of the ten nearest epochs in the full space; for the stage, of "
        "other subjects only. Stages should be told; subjects need not be: an embedding that tells "
        "them holds more than sleep. Guessing names the most frequent subject.",
    )
