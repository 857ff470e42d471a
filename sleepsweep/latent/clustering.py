"""Clusters found without labels, against the stages."""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix

from sleepsweep.latent.embedded import Points, Stages
from sleepsweep.latent.quiet import random_state
from sleepsweep.latent.undefined import UndefinedError, need_labels, need_spread

Clusters = NDArray[np.int64]


def k_means(points: Points, n_clusters: int, seed: int = 0) -> Clusters:
    """Return the cluster (epoch,) of each of the points (epoch, dimension); the best of ten starts.

    There are fewer than `n_clusters` where fewer points are distinct. Raises `UndefinedError` where
    the points are all the same or fewer than `n_clusters`.
    """
    if len(points) < n_clusters:
        raise UndefinedError(f"there are fewer epochs ({len(points)}) than clusters ({n_clusters})")
    need_spread(points)
    fitted = KMeans(n_clusters, n_init=10, random_state=random_state("k-means", seed)).fit(points)
    return np.asarray(fitted.labels_, dtype=np.int64)


def adjusted_rand(stages: Stages, clusters: Clusters) -> float:
    """The Rand index, adjusted for chance (Hubert & Arabie 1985, J. Classif. 2:193–218): to 1."""
    need_labels(stages, "stage")
    return float(adjusted_rand_score(stages, clusters))


def adjusted_mutual_information(stages: Stages, clusters: Clusters) -> float:
    """Mutual information over the mean of the two entropies, adjusted for chance: to 1.

    Vinh, Epps & Bailey 2010, JMLR 11:2837–2854.
    """
    need_labels(stages, "stage")
    return float(adjusted_mutual_info_score(stages, clusters))


def purity(stages: Stages, clusters: Clusters) -> float:
    """Share of epochs that are of the most frequent stage of their cluster: 0–1."""
    need_labels(stages, "stage")
    counts = contingency_matrix(stages, clusters)
    return float(counts.max(axis=0).sum() / counts.sum())


def average_entropy(stages: Stages, clusters: Clusters) -> float:
    """Mean over clusters of the entropy −Σ p log₂ p of the stages in them, in bits: 0 to log₂ 5.

    Clusters count by their size, which makes it the conditional entropy of the stages (Cover &
    Thomas 2006, eq. 2.10).
    """
    need_labels(stages, "stage")
    counts = contingency_matrix(stages, clusters)
    sizes = counts.sum(axis=0)
    shares = counts / sizes
    logarithms = np.log2(shares, where=shares > 0, out=np.zeros_like(shares))
    return float(-(shares * logarithms).sum(axis=0) @ sizes / sizes.sum())
