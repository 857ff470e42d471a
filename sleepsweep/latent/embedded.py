"""What the measures look at: embeddings of epochs, with the stages and the subjects of these."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sleepsweep.errors import UserError
from sleepsweep.metrics import STAGES
from sleepsweep.seeds import numpy_generator

Features = NDArray[np.float32]
Points = NDArray[np.float64]
Stages = NDArray[np.int8]
Subjects = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Embedded:
    """Embeddings of epochs.

    `features` (epoch, latent_dim), `stages` (epoch,) 0–4, `subjects` (epoch,), and `views`, where
    there are any: the embeddings of two augmented views of each epoch, both (epoch, latent_dim).
    Raises `ValueError` for arrays that do not belong together, and `UserError` where there is no
    epoch or an embedding is not finite.
    """

    features: Features
    stages: Stages
    subjects: Subjects
    views: tuple[Features, Features] | None = None

    def __post_init__(self) -> None:
        features = _embeddings("features", self.features)
        count = len(features)
        self._set("features", features)
        self._set("stages", _stages(self.stages, count))
        self._set("subjects", _subjects(self.subjects, count))
        if self.views is not None:
            one, two = (_embeddings("views", view) for view in self.views)
            if not one.shape == two.shape == features.shape:
                raise ValueError(
                    f"views: {one.shape} and {two.shape} where features are {features.shape}."
                )
            self._set("views", (one, two))

    def __len__(self) -> int:
        return len(self.features)

    def sample(self, count: int, seed: int = 0) -> Self:
        """Return `count` of the epochs, or all where there are fewer, in the order they are in.

        Each is drawn with the same probability. Every stage, and within it every subject, keeps
        its share to within one epoch: the sample is systematic, over the epochs sorted by stage
        and subject.
        """
        rows = self.sample_rows(count, seed)
        views = None if self.views is None else (self.views[0][rows], self.views[1][rows])
        return type(self)(self.features[rows], self.stages[rows], self.subjects[rows], views)

    def sample_rows(self, count: int, seed: int = 0) -> NDArray[np.int64]:
        """Return which epochs those of `sample` are, sorted."""
        if count < 1:
            raise ValueError(f"count: {count}, where at least one epoch is drawn.")
        if count >= len(self):
            return np.arange(len(self))
        generator = numpy_generator("sample of embeddings", seed=seed)
        order = np.lexsort((generator.random(len(self)), self.subjects, self.stages))
        places = (generator.random() + np.arange(count)) * len(self) / count
        return np.sort(order[places.astype(np.int64)])

    def _set(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)


def collapsed(points: NDArray[np.floating]) -> bool:
    """Whether points (epoch, dimension) are all the same, to what float32 resolves."""
    largest = float(np.abs(points).max(initial=0.0))
    return bool(np.ptp(points, axis=0).max(initial=0.0) <= 1e-6 * largest)


def scaled(points: NDArray[np.floating]) -> Points:
    """Return points (epoch, dimension) about their mean, the largest coordinate being 1.

    What compares distances with each other gives the same for them, however large or small the
    encoder's numbers are. Points that are all the same are all zero.
    """
    if collapsed(points):
        return np.zeros(points.shape)
    exact = points.astype(np.float64)
    centred = exact - exact.mean(axis=0)
    return np.asarray(centred / np.abs(centred).max())


def _embeddings(name: str, given: ArrayLike) -> Features:
    values = np.asarray(given, dtype=np.float32)
    if values.ndim != 2 or values.shape[1] < 1:
        raise ValueError(f"{name}: shape {values.shape}, where (epoch, latent_dim) is meant.")
    if not len(values):
        raise UserError(f"{name}: there is no epoch to look at. Give data that hold some.")
    broken = ~np.isfinite(values).all(axis=1)
    if broken.any():
        raise UserError(
            f"{name}: {broken.sum()} of {len(values)} embeddings hold infinite values or NaN, the "
            f"first one epoch {broken.argmax()}. The training has diverged, or the signal is "
            "broken: train with a lower learning rate, or look at the recording."
        )
    return values


def _stages(given: ArrayLike, count: int) -> Stages:
    values = np.asarray(given)
    if values.shape != (count,):
        raise ValueError(f"stages: shape {values.shape}, where {(count,)} is meant.")
    if not np.isin(values, range(len(STAGES))).all():
        raise ValueError(f"stages: {np.unique(values)}, where 0–4 ({', '.join(STAGES)}) are meant.")
    return values.astype(np.int8)


def _subjects(given: ArrayLike, count: int) -> Subjects:
    values = np.asarray(given).astype(np.str_)
    if values.shape != (count,):
        raise ValueError(f"subjects: shape {values.shape}, where {(count,)} is meant.")
    return values
