"""Observations of one trial share its luck; here they are turned into independent ones.

A trial's observations are u + e_r before the last rung and u at the last one. Two linear maps
that do not depend on any variance make them independent::

    finished    y_last = u                       y_r − y_last = e_r
    stopped     mean of y_r = u + mean of e      contrasts of y_r (orthonormal) = contrasts of e

so that every row has variance a·σ_u² + b·σ_e², and rows of equal (a, b) can be added up once: the
likelihood then costs the same for 100 trials and for 10,000.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from sleepsweep_analysis.model.design import Design

__all__ = ["Independent", "independent"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Independent:
    """A design's observations as independent rows, in G groups of equal variance.

    `mixing` (n, n) maps observations to rows, `columns` (n, W) are theirs, and `group` (n,) is the
    number of each row's group, which has `counts` (G,) rows, variance `shares` (G, 2) times
    (σ_u², σ_e²) and `grams` (G, W, W), the products of its columns.
    """

    mixing: csr_array
    columns: Matrix
    group: NDArray[np.int64]
    shares: Matrix
    counts: Matrix
    grams: Matrix

    def moments(self, points: Matrix) -> tuple[Matrix, Matrix]:
        """Products of each group's columns with the points, (G, W), and of these, (G,)."""
        y = self.mixing @ points
        mine = [self.group == g for g in range(len(self.counts))]
        return (
            np.array([self.columns[rows].T @ y[rows] for rows in mine]),
            np.array([y[rows] @ y[rows] for rows in mine]),
        )


def independent(design: Design) -> Independent:
    """Turn the observations of `design` into independent rows."""
    mixing, shares = _mixing(design)
    columns = mixing @ design.columns
    unique, group = np.unique(shares, axis=0, return_inverse=True)
    mine = [columns[group == g] for g in range(len(unique))]
    return Independent(
        mixing=mixing,
        columns=columns,
        group=group,
        shares=unique,
        counts=np.array([float(len(rows)) for rows in mine]),
        grams=np.array([rows.T @ rows for rows in mine]),
    )


def _mixing(design: Design) -> tuple[csr_array, Matrix]:
    """The map to independent rows, and the shares (a, b) of each, (n, 2)."""
    n = len(design.points)
    shares, parts = np.zeros((n, 2)), [np.zeros((0, 3))]
    order = np.argsort(design.trial, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(design.trial[order])) + 1):
        block, share = _one_trial(design.before_last[mine])
        i, k = np.meshgrid(mine, mine, indexing="ij")
        parts.append(np.column_stack([i.ravel(), k.ravel(), block.ravel()]))
        shares[mine] = share / design.replicates[mine][:, None]
    rows, columns, values = np.vstack(parts).T
    matrix = csr_array((values, (rows.astype(np.int64), columns.astype(np.int64))), shape=(n, n))
    return matrix, np.round(shares, 12)


def _one_trial(early: NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
    """The map (m, m) and the shares (m, 2) of the observations of one trial."""
    m = len(early)
    if early.all():
        shares = np.column_stack([np.zeros(m), np.ones(m)])
        shares[0] = (1.0, 1.0 / m)
        return _helmert(m), shares
    block = np.eye(m)
    block[:, np.argmin(early)] -= early
    return block, np.column_stack([~early, early]).astype(float)


def _helmert(m: int) -> Matrix:
    """(m, m): the mean, then m − 1 orthonormal contrasts."""
    block = np.tril(np.ones((m, m)), -1) - np.diag(np.arange(m, dtype=float))
    block[1:] /= np.linalg.norm(block[1:], axis=1, keepdims=True)
    block[0] = 1.0 / m
    return block
