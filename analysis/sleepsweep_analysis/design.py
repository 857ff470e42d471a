"""From comparable rows to the matrices of the model: fixed columns, switches and kernels.

The model is that of `sleepsweep_analysis.model`; here each of its random terms becomes a kernel,
an (n, n) matrix that its variance multiplies.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.results import TableError
from sleepsweep_analysis.comparable import Comparable

__all__ = ["BASE_SD", "LENGTH", "Design", "build", "enough", "size_covariance"]

Matrix = NDArray[np.float64]

BASE_SD = 30.0
"""Prior sd, in points, of the mean effect b0: flat in effect, and proper, so that a sweep whose
policies all have one size (where b0 hides in the blocks) still has a posterior: a wide one."""

LENGTH = 2.0
"""Length-scale of the Gaussian process over size, in augmentations."""

SPARE = 2
"""Trials needed beyond one a block before anything is estimated."""


@dataclass(frozen=True)
class Design:
    """The matrices of one model; n observations, J augmentations, sizes 0..S.

    `points` (n,); `fixed` (n, F) has a column for each block and each rung but the `last`, which is
    the one at full length (`early` names the others); `switches` (n, J); `sizes` (n, S + 1)
    one-hot; `membership` (J, C) one-hot; `kernels` name → (n, n).
    """

    points: Matrix
    fixed: Matrix
    switches: Matrix
    sizes: Matrix
    membership: Matrix
    kernels: Mapping[str, Matrix]
    blocks: tuple[int, ...]
    early: tuple[int, ...]
    last: int

    def prior(self, sds: Mapping[str, float]) -> Matrix:
        """Prior covariance of the weights (b_1..b_J, h_0..h_S), shape (J + S + 1, J + S + 1)."""
        J, S = self.switches.shape[1], self.sizes.shape[1]
        covariance = np.zeros((J + S, J + S))
        covariance[:J, :J] = (
            BASE_SD**2
            + sds["category"] ** 2 * self.membership @ self.membership.T
            + sds["within"] ** 2 * np.eye(J)
        )
        covariance[J:, J:] = sds["size"] ** 2 * size_covariance(S)
        return covariance

    @property
    def weights(self) -> Matrix:
        """Rows of the weights (b, h) in each observation, shape (n, J + S + 1)."""
        return np.hstack([self.switches, self.sizes])


def size_covariance(count: int) -> Matrix:
    """exp(−(k − l)²/(2·2²)) for sizes k, l in 0..count−1 (Rasmussen & Williams 2006, eq. 4.9)."""
    k = np.arange(count, dtype=float)
    return np.exp(-((k[:, None] - k[None, :]) ** 2) / (2.0 * LENGTH**2))


def build(chosen: Comparable) -> Design:
    """Build the design of the rows in `chosen`.

    Raises `TableError` when there are too few trials to estimate anything, or none has reached the
    last rung.
    """
    last = _enough(chosen)
    rows = chosen.rows
    switches = rows[chosen.switches].to_numpy(dtype=float)
    counts = switches.sum(axis=1).astype(int)
    sizes = np.eye(max(int(counts.max()), chosen.largest) + 1)[counts]
    names = list(dict.fromkeys(chosen.category))
    membership = np.eye(len(names))[[names.index(category) for category in chosen.category]]
    early = sorted({int(rung) for rung in rows["rung"]} - {last})
    blocks = sorted(int(block) for block in rows["block"].unique())
    fixed = np.hstack([_one_hot(rows["block"], blocks), _one_hot(rows["rung"], early)])
    return Design(
        points=rows["points"].to_numpy(dtype=float),
        fixed=fixed,
        switches=switches,
        sizes=sizes,
        membership=membership,
        kernels=_kernels(rows, switches, sizes, membership, last),
        blocks=tuple(blocks),
        early=tuple(early),
        last=last,
    )


def _kernels(
    rows: pd.DataFrame, switches: Matrix, sizes: Matrix, membership: Matrix, last: int
) -> dict[str, Matrix]:
    by_category = switches @ membership
    trial, rung = pd.factorize(rows["trial"])[0], rows["rung"].to_numpy()
    kernels = {
        "category": by_category @ by_category.T,
        "within": switches @ switches.T,
        "size": sizes @ size_covariance(sizes.shape[1]) @ sizes.T,
        "trial": (trial[:, None] == trial[None, :]).astype(float),
    }
    early = (rung != last).astype(float)
    if early.any():
        same = (rung[:, None] == rung[None, :]) * early
        kernels["tilt"] = same * kernels["within"]
        kernels["early"] = np.diag(early)
    return kernels


def enough(chosen: Comparable) -> bool:
    """Whether a design can be built of the rows in `chosen`."""
    try:
        _enough(chosen)
    except TableError:
        return False
    return True


def _enough(chosen: Comparable) -> int:
    """Return the last rung where there is enough to estimate; raise `TableError` elsewhere."""
    rows = chosen.rows
    if rows.empty:
        raise TableError(
            "trials: no trial has a score yet, so there is nothing to analyse. "
            "Wait for the first trial to report, or look at why the trials failed."
        )
    if chosen.largest < 1 or not rows[chosen.switches].to_numpy().any():
        raise TableError("trials: no policy contains an augmentation, so there is none to rank.")
    need = int(rows["block"].nunique()) + SPARE
    if chosen.n_trials < need:
        raise TableError(
            f"trials: {chosen.n_trials} with a score in {need - SPARE} block(s); effects need at "
            f"least {need}. Run more trials."
        )
    if chosen.last is None:
        raise TableError(
            f"trials: no trial has reached the last rung (step {chosen.steps:,}) yet, so nothing "
            "can be ranked. Launch the sweep again to go on."
        )
    return chosen.last


def _one_hot(column: pd.Series, levels: list[int]) -> Matrix:
    return np.asarray(column.to_numpy()[:, None] == np.array(levels)[None, :], dtype=float)
