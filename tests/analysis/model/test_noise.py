"""The independent rows really are independent, with the variances that they are said to have."""

from types import SimpleNamespace

import numpy as np
import pytest

from sleepsweep_analysis.model.noise import independent

TRIAL, EARLY = 0.7, 0.4


@pytest.mark.parametrize("replicates", [1.0, 3.0])
def test_rows_are_uncorrelated_with_the_stated_variances(replicates):
    trial = np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 0, 4])
    before = np.array([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0], dtype=bool)
    n = len(trial)
    design = SimpleNamespace(
        points=np.zeros(n), columns=np.eye(n), trial=trial, before_last=before,
        replicates=np.full(n, replicates),
    )  # fmt: skip
    covariance = TRIAL**2 * (trial[:, None] == trial) + np.diag(EARLY**2 * before)
    rows = independent(design)
    mixed = rows.columns @ covariance @ rows.columns.T / replicates
    variances = rows.shares @ [TRIAL**2, EARLY**2]
    np.testing.assert_allclose(mixed, np.diag(variances[rows.group]), atol=1e-12)
    assert np.linalg.matrix_rank(rows.columns) == n


def test_sums_are_those_of_the_rows():
    rng = np.random.default_rng(0)
    design = SimpleNamespace(
        points=rng.normal(size=6), columns=rng.normal(size=(6, 3)),
        trial=np.array([0, 0, 1, 1, 2, 2]), replicates=np.ones(6),
        before_last=np.array([1, 0, 1, 1, 1, 0], dtype=bool),
    )  # fmt: skip
    rows = independent(design)
    moments, squares = rows.moments(design.points)
    y = rows.mixing @ design.points
    np.testing.assert_allclose(moments.sum(axis=0), rows.columns.T @ y)
    np.testing.assert_allclose(squares.sum(), y @ y)
    np.testing.assert_allclose(rows.grams.sum(axis=0), rows.columns.T @ rows.columns)
    assert rows.counts.sum() == 6
