"""The files that show a latent space: embeddings, planes and measures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.experiment.spec import LatentSpec
from sleepsweep.latent import (
    COLUMNS,
    LABELS,
    Embedded,
    measure,
    project,
    write_image,
    write_page,
)  # fmt: skip
from sleepsweep.metrics import STAGES
from sleepsweep.replacing import replacing, writing

Features = NDArray[np.float32]
Planes = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Described:
    """A latent space's planes, and the measures of the embedding itself, by name."""

    planes: Planes
    measures: dict[str, float]


def write_latent(embedded: Embedded, spec: LatentSpec, folder: Path, title: str) -> Described:
    """Write what `spec` asks for into `folder`; return planes and the embedding's measures.

    ``measures.csv``, ``index.html``, and a PNG file for each plane, coloured by stage.
    """
    planes = project(embedded.features, spec.pictures)
    table = pd.DataFrame(columns=list(COLUMNS))
    if spec.measures:
        table = measure(embedded, planes, n_clusters=spec.clusters)
    with writing(folder), replacing(folder / "measures.csv") as partial:
        table.to_csv(partial, index=False, float_format="%.6g")
    stages = [STAGES[stage] for stage in embedded.stages]
    for name, plane in planes.items():
        write_image(plane, stages, folder / f"{name}.png", f"{title}: {LABELS[name]}")
    write_page(embedded, planes, table, folder / "index.html", title)
    found = table[(table["space"] == "embedding") & table["value"].notna()]
    return Described(planes, dict(zip(found["measure"], found["value"].astype(float), strict=True)))


def write_embeddings(
    labels: pd.DataFrame, features: Features, path: Path, planes: Planes | None = None
) -> None:
    """Write a row an epoch to a parquet file: its `labels`, the embedding e0, e1, …, and planes.

    Stages are written by name.
    """
    columns = {f"e{place}": column for place, column in enumerate(features.T)}
    for name, plane in (planes or {}).items():
        columns |= {f"{name}_1": plane[:, 0], f"{name}_2": plane[:, 1]}
    named = labels.assign(stage=np.asarray(STAGES)[labels["stage"].to_numpy()])
    with writing(path), replacing(path) as partial:
        pd.concat([named, pd.DataFrame(columns)], axis=1).to_parquet(partial, index=False)
