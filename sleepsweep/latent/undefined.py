"""A measure that has no value, and why."""

import numpy as np
from numpy.typing import NDArray

from sleepsweep.latent.embedded import collapsed


class UndefinedError(ValueError):
    """The measure has no value for these epochs; the message is the reason."""


def need_spread(points: NDArray[np.floating]) -> None:
    """Raise `UndefinedError` where points (epoch, dimension) are all the same."""
    if collapsed(points):
        raise UndefinedError("all embeddings are the same")


def need_more_than(count: int, points: NDArray[np.generic]) -> None:
    """Raise `UndefinedError` where there are `count` points (epoch, …) or fewer."""
    if len(points) <= count:
        raise UndefinedError(f"{len(points)} epochs, and more than {count} are needed")


def need_labels(labels: NDArray[np.generic], what: str) -> None:
    """Raise `UndefinedError` where all labels (epoch,) are the same."""
    if len(np.unique(labels)) < 2:
        raise UndefinedError(f"there is one {what} only")
