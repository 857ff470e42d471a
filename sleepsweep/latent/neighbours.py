"""Whether a plane keeps the neighbours that epochs have in the embedding.

Venna & Kaski 2001, ICANN, LNCS 2130:485–491. Rows are worked through in parts, so that a few
thousand epochs need tens of megabytes; scikit-learn's `trustworthiness` holds several
(epoch, epoch) matrices and has no continuity.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from sleepsweep.latent.embedded import Points
from sleepsweep.latent.undefined import need_more_than, need_spread

NEIGHBOURS = 10
PART = 256
"""Rows of the matrix of distances that are held at a time."""


def trustworthiness(points: Points, plane: Points, k: int = NEIGHBOURS) -> float:
    """1 minus what the plane makes neighbours without their being any in the embedding: 0–1.

    1 − 2 / (n k (2n − 3k − 1)) · Σᵢ Σⱼ (r(i, j) − k), over those j of the k nearest of i in the
    plane (epoch, 2) that are not among them in the embedding (epoch, dimension), where j is the
    r-th nearest of i.
    """
    return _kept(points, plane, k)


def continuity(points: Points, plane: Points, k: int = NEIGHBOURS) -> float:
    """1 minus what the plane tears apart: 0–1.

    As `trustworthiness`, with the places exchanged: over those of the k nearest in the embedding
    that are not among them in the plane, with their ranks in the plane.
    """
    return _kept(plane, points, k)


def _kept(ranked: Points, near: Points, k: int) -> float:
    need_more_than(2 * k, near)  # the scale holds for k < n / 2 only
    need_spread(ranked)
    need_spread(near)
    n = len(near)
    excess = 0
    for start in range(0, n, PART):
        rows = np.arange(start, min(start + PART, n))
        neighbours = _order(near, rows)[:, :k]
        ranks = np.empty((len(rows), n), dtype=np.int64)
        np.put_along_axis(ranks, _order(ranked, rows), np.arange(1, n + 1)[None, :], axis=1)
        excess += int(np.maximum(np.take_along_axis(ranks, neighbours, axis=1) - k, 0).sum())
    return 1.0 - 2.0 * excess / (n * k * (2 * n - 3 * k - 1))


def _order(points: Points, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """All points for each of `rows`, the nearest first and the row itself last."""
    distances = cdist(points[rows], points, "sqeuclidean")
    distances[np.arange(len(rows)), rows] = np.inf
    return np.asarray(np.argsort(distances, axis=1, kind="stable"))
