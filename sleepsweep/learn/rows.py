"""Some of many rows."""

import numpy as np
from numpy.typing import NDArray


def spread_evenly(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return `most` of the rows, or all where they are fewer, at even distances."""
    places = np.linspace(0, len(rows) - 1, min(len(rows), most)).round().astype(np.int64)
    return rows[places]
