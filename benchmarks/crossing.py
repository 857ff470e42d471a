"""How much of something is needed until a share of studies is right, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

Matrix = NDArray[np.float64]

LEVEL = 0.95
RESAMPLED = 1000


@dataclass(frozen=True)
class Curve:
    """Studies that were cut off at rising sizes.

    `steps` and `right` have a row for each study and a column for each size: the steps trained up
    to there, and whether the answer was right (1) or not (0).
    """

    sizes: Sequence[int]
    steps: Matrix
    right: Matrix

    def needed(self, share: float, rows: NDArray[np.int64] | None = None) -> float:
        """Steps at which so large a share of the studies (of `rows`) is right; inf: at none.

        The shares are made to rise with the steps (isotonic regression: Barlow et al. 1972), and
        read between two sizes on the logarithm of the steps. At most those of the first size.
        """
        right = self.right if rows is None else self.right[rows]
        steps = (self.steps if rows is None else self.steps[rows]).mean(axis=0)
        risen = np.asarray(isotonic_regression(right.mean(axis=0)))
        enough = np.flatnonzero(risen >= share - 1e-9)
        if not len(enough):
            return float("inf")
        at = int(enough[0])
        if at == 0:
            return float(steps[0])
        part = (share - risen[at - 1]) / (risen[at] - risen[at - 1])
        return float(np.exp(np.interp(part, [0, 1], np.log(steps[at - 1 : at + 1]))))


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share, `hits` of `count` (Wilson 1927, JASA 22:209–212)."""
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    share, weight = hits / count, 1 + z**2 / count
    centre = (share + z**2 / (2 * count)) / weight
    half = z / weight * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return max(float(centre - half), 0.0), min(float(centre + half), 1.0)


def ratio(above: Curve, below: Curve, share: float) -> tuple[float, float, float]:
    """How many times the steps of `below` those of `above` are, and its 95 % bootstrap interval.

    Studies are resampled, the same ones of both where they have equally many. Infinite where
    `above` never gets there; 0 where `below` never does.
    """
    generator = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLED):
        rows = generator.integers(0, len(above.right), len(above.right))
        others = rows if len(below.right) == len(above.right) else generator.integers(
            0, len(below.right), len(below.right))  # fmt: skip
        found.append(_times(above.needed(share, rows), below.needed(share, others)))
    tail = (1 - LEVEL) / 2
    # Infinite ones can be ranked, but not interpolated.
    low, high = np.quantile(found, [tail, 1 - tail], method="inverted_cdf")
    return _times(above.needed(share), below.needed(share)), float(low), float(high)


def _times(above: float, below: float) -> float:
    return 0.0 if np.isinf(below) else above / below
