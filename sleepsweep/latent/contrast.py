"""What contrastive pretraining optimises: alignment and uniformity on the sphere.

Wang & Isola 2020, ICML, arXiv:2005.10242. Embeddings are brought to length 1 first.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from sleepsweep.latent.embedded import Features, Points
from sleepsweep.latent.undefined import UndefinedError, need_more_than

PART = 256
"""Rows of the matrix of distances that are held at a time."""


def alignment(views: tuple[Features, Features] | None) -> float:
    """Mean squared distance ‖f(x) − f(y)‖² of two views of an epoch (α = 2): 0–4."""
    if views is None:
        raise UndefinedError("no augmented views were embedded")
    one, two = (_on_sphere(view) for view in views)
    return float(((one - two) ** 2).sum(axis=1).mean())


def uniformity(features: NDArray[np.floating]) -> float:
    """log of the mean over pairs of epochs of exp(−2 ‖f(x) − f(y)‖²) (t = 2): −8 to 0.

    0 means that all embeddings are in one place.
    """
    need_more_than(1, features)
    points = _on_sphere(features)
    n = len(points)
    total = sum(
        float(np.exp(-2.0 * cdist(points[start : start + PART], points, "sqeuclidean")).sum())
        for start in range(0, n, PART)
    )
    return float(np.log((total - n) / (n * (n - 1))))  # without the n pairs of an epoch and itself


def _on_sphere(features: NDArray[np.floating]) -> Points:
    exact = features.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    if not lengths.all():
        raise UndefinedError("an embedding of length 0 has no direction")
    return np.asarray(exact / lengths)
