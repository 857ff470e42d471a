"""Some of many rows, and many rows a few at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Gather = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""What returns the epochs (epoch, channel, time) of rows."""


def spread_evenly(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return `most` of the rows, or all where they are fewer, at even distances."""
    places = np.linspace(0, len(rows) - 1, min(len(rows), most)).round().astype(np.int64)
    return rows[places]


def by_batches(
    work: Callable[[NDArray[np.float32]], NDArray[Any]], gather: Gather, rows: NDArray[np.int64],
    size: int = 256,
) -> NDArray[Any]:  # fmt: skip
    """Return what `work` makes of the epochs of `rows`, of which few are held at a time."""
    starts = range(0, len(rows), size)
    return np.concatenate([work(gather(rows[start : start + size])) for start in starts])
