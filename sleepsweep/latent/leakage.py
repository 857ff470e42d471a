"""How well the embedding tells who slept."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from sleepsweep.latent.embedded import Points, Subjects
from sleepsweep.latent.undefined import need_labels, need_more_than, need_spread

NEIGHBOURS = 10


def subject_accuracy(points: Points, subjects: Subjects, k: int = NEIGHBOURS) -> float:
    """Share of epochs whose `k` nearest other epochs name their subject by majority: 0–1.

    Leave-one-out: an epoch is no neighbour of itself. A tie goes to the subject that sorts first.
    """
    need_more_than(k, points)
    need_spread(points)
    need_labels(subjects, "subject")
    names, codes = np.unique(subjects, return_inverse=True)
    near = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)
    votes = np.zeros((len(points), len(names)), dtype=np.int64)
    np.add.at(votes, (np.arange(len(points))[:, None], codes[near]), 1)
    return float((votes.argmax(axis=1) == codes).mean())


def subject_chance(subjects: Subjects) -> float:
    """Share of the subject with the most epochs, which guessing it would reach: 0–1."""
    _, counts = np.unique(subjects, return_counts=True)
    return float(counts.max() / counts.sum())
