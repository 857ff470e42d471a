"""All measures of a latent space and of planes through it, as a table."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.latent.clustering import (
    Clusters,
    adjusted_mutual_information,
    adjusted_rand,
    average_entropy,
    k_means,
    purity,
)
from sleepsweep.latent.contrast import alignment, uniformity
from sleepsweep.latent.embedded import Embedded, Points, scaled
from sleepsweep.latent.leakage import subject_accuracy, subject_chance
from sleepsweep.latent.neighbours import continuity, trustworthiness
from sleepsweep.latent.quiet import quietly
from sleepsweep.latent.separation import davies_bouldin, silhouette
from sleepsweep.latent.undefined import UndefinedError

EMBEDDING = "embedding"
LABELS = {EMBEDDING: "Embedding", "pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
"""What the spaces are called."""

COLUMNS = ("space", "measure", "value", "better", "note")

Row = tuple[str, str, float, str, str]
Computed = Iterator[tuple[str, Callable[[], float]]]


@dataclass(frozen=True)
class Measure:
    """What a measure is called, which direction is better, and what it says in one line.

    `better` is "higher" or "lower", or empty for a value that others are compared with.
    """

    label: str
    better: str
    says: str


MEASURES = {
    "ari": Measure(
        "ARI", "higher", "do k-means clusters agree with the stages? 0 by chance, 1 fully"
    ),
    "ami": Measure(
        "AMI", "higher", "what k-means clusters tell of the stages; 0 by chance, 1 everything"
    ),
    "purity": Measure(
        "Purity", "higher", "share of epochs that are of the main stage of their cluster"
    ),
    "entropy": Measure(
        "Average entropy", "lower", "of the stages in a cluster, in bits; 0 is one stage a cluster"
    ),
    "silhouette": Measure(
        "Silhouette", "higher", "are epochs nearer to their own stage than to the next? −1 to 1"
    ),
    "davies_bouldin": Measure(
        "Davies–Bouldin", "lower", "width of the stages over the distance between them, from 0"
    ),
    "trustworthiness": Measure(
        "Trustworthiness", "higher", "are neighbours in the plane so in the embedding? up to 1"
    ),
    "continuity": Measure(
        "Continuity", "higher", "are neighbours in the embedding so in the plane? up to 1"
    ),
    "alignment": Measure("Alignment", "lower", "squared distance of two views of an epoch, 0 to 4"),
    "uniformity": Measure("Uniformity", "lower", "spread over the sphere; 0 is all in one place"),
    "subject_accuracy": Measure(
        "Subject told", "lower", "accuracy of the ten nearest epochs' vote on who slept: leakage"
    ),
    "subject_chance": Measure(
        "Subject guessed", "", "share of the subject with the most epochs, to compare with"
    ),
}


def measure(
    embedded: Embedded,
    planes: Mapping[str, NDArray[np.floating]],
    n_clusters: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the measures of the embedding, and of planes (epoch, 2) through it by name.

    One row a measure and space: `space` ("embedding" or the plane's name), `measure`, `value`,
    `better` and `note`, which says why a value is NaN and is empty otherwise. Deterministic.
    """
    if n_clusters < 2:
        raise ValueError(f"n_clusters: {n_clusters}, where at least 2 are meant.")
    points = scaled(embedded.features)
    rows: list[Row] = []
    with quietly():
        rows += _rows(EMBEDDING, _clusters(points, embedded, n_clusters, seed))
        rows += _rows(EMBEDDING, _of_embedding(points, embedded))
        for name, plane in planes.items():
            flat = scaled(_checked(name, plane, len(embedded)))
            rows += _rows(name, _clusters(flat, embedded, n_clusters, seed))
            rows += _rows(name, _of_plane(points, flat))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"value": float})


def _clusters(points: Points, embedded: Embedded, n_clusters: int, seed: int) -> Computed:
    stages = embedded.stages

    @cache
    def clusters() -> Clusters:
        return k_means(points, n_clusters, seed)

    yield "ari", lambda: adjusted_rand(stages, clusters())
    yield "ami", lambda: adjusted_mutual_information(stages, clusters())
    yield "purity", lambda: purity(stages, clusters())
    yield "entropy", lambda: average_entropy(stages, clusters())
    yield "silhouette", lambda: silhouette(points, stages)
    yield "davies_bouldin", lambda: davies_bouldin(points, stages)


def _of_plane(points: Points, plane: Points) -> Computed:
    yield "trustworthiness", lambda: trustworthiness(points, plane)
    yield "continuity", lambda: continuity(points, plane)


def _of_embedding(points: Points, embedded: Embedded) -> Computed:
    yield "alignment", lambda: alignment(embedded.views)
    yield "uniformity", lambda: uniformity(embedded.features)
    yield "subject_accuracy", lambda: subject_accuracy(points, embedded.subjects)
    yield "subject_chance", lambda: subject_chance(embedded.subjects)


def _rows(space: str, computed: Computed) -> Iterator[Row]:
    for name, compute in computed:
        value, note = float("nan"), ""
        try:
            value = compute()
        except UndefinedError as reason:
            note = str(reason)
        yield space, name, value, MEASURES[name].better, note


def _checked(name: str, plane: NDArray[np.floating], count: int) -> NDArray[np.floating]:
    if plane.shape != (count, 2) or not np.isfinite(plane).all():
        raise ValueError(f"plane {name}: shape {plane.shape}, where {(count, 2)} finite are meant.")
    if name == EMBEDDING:
        raise ValueError(f"plane {name}: this is the name of the space itself.")
    return plane
