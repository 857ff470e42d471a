"""Planes through a latent space: principal components, t-SNE and UMAP."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from sleepsweep.errors import UserError
from sleepsweep.latent.embedded import Points, collapsed, scaled
from sleepsweep.latent.quiet import quietly, random_state
from sleepsweep.seeds import numpy_generator

PlaneKind = Literal["pca", "tsne", "umap"]
Plane = NDArray[np.float64]

PERPLEXITY = 30
NEIGHBOURS = 15
FEWEST = 4
"""Of fewer epochs, t-SNE and UMAP have no neighbourhoods to keep: their planes are PCA's."""


def project(
    features: NDArray[np.floating], kinds: Sequence[PlaneKind], seed: int = 0
) -> dict[str, Plane]:
    """Return planes (epoch, 2) through embeddings (epoch, latent_dim), by the names of `kinds`.

    Deterministic. Where all embeddings are the same, every point of every plane is the origin.
    Raises `UserError` for a plane that is not known.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise UserError(f"plane {kind!r}: not known. Allowed: {', '.join(KINDS)}.")
    points = scaled(features)
    if collapsed(points):
        return {kind: np.zeros((len(points), 2)) for kind in kinds}
    with quietly():
        return {kind: KINDS[kind](points, seed) for kind in kinds}


def principal_components(points: Points, seed: int = 0) -> Plane:
    """The first two principal components of points (epoch, dimension); a missing one is zero."""
    count = min(2, *points.shape)
    plane = np.zeros((len(points), 2))
    plane[:, :count] = PCA(count, svd_solver="full").fit_transform(points)
    return plane


def tsne(points: Points, seed: int = 0) -> Plane:
    """A plane by t-SNE (van der Maaten & Hinton 2008, JMLR 9:2579–2605).

    Perplexity 30, or a third of the other epochs where that is less. It starts from the principal
    components, as Kobak & Berens 2019, Nat. Commun. 10:5416, advise.
    """
    start = principal_components(points)
    if len(points) < FEWEST:
        return start
    reducer = TSNE(
        perplexity=min(PERPLEXITY, (len(points) - 1) / 3),
        init=(start / start[:, 0].std() * 1e-4).astype(np.float32),
        random_state=random_state("t-SNE", seed),
        n_jobs=1,
    )
    return np.asarray(reducer.fit_transform(points), dtype=np.float64)


def umap(points: Points, seed: int = 0) -> Plane:
    """A plane by UMAP (McInnes, Healy & Melville 2018, arXiv:1802.03426).

    15 neighbours, or all other epochs where they are fewer. It starts from the principal
    components, as Kobak & Linderman 2021, Nat. Biotechnol. 39:156–157, advise.
    """
    start = principal_components(points)
    if len(points) < FEWEST:
        return start
    # Importing umap compiles for up to 20 s: only where a plane is asked for.
    from umap import UMAP

    # UMAP stretches both axes of the start to the same length: one that is all zero would be 0 / 0.
    generator = numpy_generator("start of UMAP", seed=seed)
    start += 1e-4 * start[:, 0].std() * generator.normal(size=start.shape)
    reducer = UMAP(
        n_neighbors=min(NEIGHBOURS, len(points) - 1),
        init=start.astype(np.float32),
        random_state=random_state("UMAP", seed),
        n_jobs=1,
    )
    return np.asarray(reducer.fit_transform(points), dtype=np.float64)


KINDS: dict[str, Callable[[Points, int], Plane]] = {
    "pca": principal_components,
    "tsne": tsne,
    "umap": umap,
}
