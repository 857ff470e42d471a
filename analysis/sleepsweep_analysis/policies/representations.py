"""What an encoder's embeddings hold: the stages, and, if it leaks, who slept.

The arrays are those that a sweep's folder keeps beside its tables. The plane through them is that
of the first two principal components; neighbours in the full space are asked two questions.
"""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sleepsweep.results import ResultsTable, TableError

__all__ = ["NEIGHBOURS", "Representation", "represent", "representations"]

Matrix = NDArray[np.float64]

NEIGHBOURS = 10
MOST = 4000
"""Epochs that are looked at; of more, evenly spaced ones."""


@dataclass(frozen=True)
class Representation:
    """Embeddings of n epochs, and what their neighbours tell.

    `embedding` (n, d), `stage` (n,) 0–4, `subject` (n,), `pca` (n, 2), `umap` (n, 2) or ``None``.
    `knn_stage` is the accuracy of a vote of the ten nearest epochs **of other subjects** on the
    stage; `knn_subject` that of the ten nearest other epochs on the subject, which guessing the
    most frequent subject would reach with `chance_subject`.
    """

    embedding: Matrix
    stage: NDArray[np.int64]
    subject: NDArray[np.str_]
    pca: Matrix
    umap: Matrix | None
    knn_stage: float
    knn_subject: float
    chance_subject: float


def representations(table: ResultsTable, trials: dict[str, str]) -> dict[str, Representation]:
    """The representation of each of `trials` (name → trial) whose embeddings are in the folder."""
    if table.embeddings is None:
        return {}
    files = {name: table.embeddings / f"{trial}.npz" for name, trial in trials.items()}
    return {name: _read(path) for name, path in files.items() if path.is_file()}


def represent(
    embedding: Matrix,
    stage: NDArray[np.int64],
    subject: NDArray[np.str_],
    umap: Matrix | None = None,
) -> Representation:
    """Project and ask the neighbours; deterministic."""
    keep = np.unique(np.linspace(0, len(stage) - 1, min(len(stage), MOST)).round().astype(int))
    embedding, stage, subject = embedding[keep].astype(float), stage[keep], subject[keep]
    _, counts = np.unique(subject, return_counts=True)
    return Representation(
        embedding=embedding,
        stage=stage,
        subject=subject,
        pca=_principal(embedding),
        umap=None if umap is None else umap[keep].astype(float),
        knn_stage=_across_subjects(embedding, stage, subject),
        knn_subject=_vote(embedding, subject, np.eye(len(subject), dtype=bool)),
        chance_subject=float(counts.max() / counts.sum()),
    )


def _read(path: Path) -> Representation:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            umap = arrays.get("umap")
            return represent(arrays["embedding"], arrays["stage"], arrays["subject"], umap)
    except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
        raise TableError(
            f"{path}: damaged ({error}). Delete it; the next report makes it anew."
        ) from error


def _principal(embedding: Matrix) -> Matrix:
    """The first two principal components, each with its largest loading positive."""
    centred = embedding - embedding.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2][[0, 1], np.abs(axes[:2]).argmax(axis=1)])[:, None]
    return np.asarray(centred @ axes.T)


def _across_subjects(
    embedding: Matrix, stage: NDArray[np.int64], subject: NDArray[np.str_]
) -> float:
    """Accuracy of the neighbours' vote on the stage, among other subjects; NaN for one subject."""
    same = subject[:, None] == subject[None, :]
    return float("nan") if same.all() else _vote(embedding, stage, same)


def _vote(embedding: Matrix, labels: NDArray[np.generic], barred: NDArray[np.bool_]) -> float:
    """Share of epochs whose nearest neighbours, without the `barred` (n, n) ones, name their label.

    Nearest by Euclidean distance; a tie in the vote goes to the label that comes first in order.
    """
    squares = (embedding**2).sum(axis=1)
    distance = squares[:, None] + squares[None, :] - 2.0 * embedding @ embedding.T
    distance[barred] = np.inf
    near = np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBOURS]
    reachable = np.isfinite(np.take_along_axis(distance, near, axis=1))
    names, codes = np.unique(labels, return_inverse=True)
    votes = np.stack(
        [((codes[near] == code) & reachable).sum(axis=1) for code in range(len(names))], axis=1
    )
    return float((votes.argmax(axis=1) == codes).mean())
