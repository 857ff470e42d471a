"""The likelihood, the posterior and their invariances, each against a second derivation."""

from dataclasses import replace

import numpy as np
import pytest

from sleepsweep_analysis import analyse
from sleepsweep_analysis.comparable import comparable
from sleepsweep_analysis.design import BASE_SD, Design, build, size_covariance
from sleepsweep_analysis.model import Reml, fit


@pytest.fixture
def design(world, sweep) -> Design:
    return build(comparable(sweep(world(1), trials=40, blocks=3, seed=1)))


def test_gradient_equals_finite_differences(design):
    reml = Reml(design)
    rng = np.random.default_rng(0)
    for _ in range(3):
        at = reml.centre + rng.normal(0, 0.7, len(reml.names))
        step = 1e-4 * np.eye(len(at))
        slow = [(reml.value(at + d) - reml.value(at - d)) / 2e-4 for d in step]
        np.testing.assert_allclose(reml.gradient(at)[1], slow, rtol=1e-4, atol=1e-4)


def _dense(design: Design, sds: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of (b, h) from Henderson's equations over every weight of the model."""
    J, C = design.membership.shape
    n, S = design.sizes.shape
    trial = np.unique(design.kernels["trial"], axis=0).T  # one-hot of the trial
    early = np.diag(design.kernels["early"]) > 0
    rung = design.fixed[:, len(design.blocks) :]
    tilt = np.hstack([rung[:, [r]] * design.switches for r in range(rung.shape[1])])
    X = design.switches
    parts = [
        (design.fixed, np.full(design.fixed.shape[1], 1e10)),
        (X.sum(axis=1, keepdims=True), np.array([BASE_SD**2])),
        (X @ design.membership, np.full(C, sds["category"] ** 2)),
        (X, np.full(J, sds["within"] ** 2)),
        (tilt, np.full(tilt.shape[1], sds["tilt"] ** 2)),
        (trial, np.full(trial.shape[1], sds["trial"] ** 2)),
        (np.eye(n)[:, early], np.full(early.sum(), sds["early"] ** 2)),
    ]
    Z = np.hstack([part for part, _ in parts] + [design.sizes])
    prior = np.diag(np.concatenate([variance for _, variance in parts] + [np.ones(S)]))
    prior[-S:, -S:] = sds["size"] ** 2 * size_covariance(S)
    start = np.cumsum([0, *[part.shape[1] for part, _ in parts]])
    L = np.zeros((J + S, Z.shape[1]))
    L[:J, start[1]] = 1.0
    L[:J, start[2] : start[3]] = design.membership
    L[:J, start[3] : start[4]] = np.eye(J)
    L[J:, -S:] = np.eye(S)
    V = Z @ prior @ Z.T
    gain = prior @ Z.T @ np.linalg.inv(V)
    return L @ gain @ design.points, L @ (prior - gain @ Z @ prior) @ L.T


def test_posterior_equals_a_dense_computation_over_all_weights(design):
    sds = {"category": 0.8, "within": 0.5, "size": 1.1, "trial": 0.7, "tilt": 0.4, "early": 0.6}
    reml = Reml(design)
    _, mean, covariance = reml.weights(np.log([sds[name] for name in reml.names]))
    J, S = design.switches.shape[1], design.sizes.shape[1]
    contrast = np.zeros((J + 1, J + S))
    contrast[:J, :J], contrast[:J, J], contrast[:J, -1] = np.eye(J), -1 / 6, 1 / 6
    contrast[J, J + 1 : J + 3] = 1.0, -1.0
    slow_mean, slow_covariance = _dense(design, sds)
    np.testing.assert_allclose(contrast @ mean, contrast @ slow_mean, atol=2e-3)
    found, slow = (contrast @ c @ contrast.T for c in (covariance, slow_covariance))
    np.testing.assert_allclose(found, slow, atol=2e-3)


def test_draws_have_the_moments_of_the_posterior(design):
    posterior = fit(design)
    rows = np.eye(design.weights.shape[1])[:4]
    found, draws = posterior.estimate(rows), posterior.draws(20_000, 0) @ rows.T
    np.testing.assert_allclose(draws.mean(axis=0), found.mean, atol=0.05)
    np.testing.assert_allclose(draws.std(axis=0), found.se, rtol=0.1)
    np.testing.assert_allclose(np.quantile(draws, 0.975, axis=0), found.high, atol=0.15)


def _effects(table) -> np.ndarray:
    frame = analyse(table).augmentations.set_index("augmentation").sort_index()
    return frame[["effect", "low", "high"]].to_numpy()


def test_a_constant_added_to_one_block_changes_no_effect(world, sweep):
    table = sweep(world(2), trials=40, blocks=3, seed=2)
    trials = table.trials.copy()
    trials.loc[trials["block"] == 1, "macro_f1"] += 0.07
    shifted = replace(table, trials=trials)
    np.testing.assert_allclose(_effects(shifted), _effects(table), atol=1e-4)


def test_permuting_rows_changes_nothing(world, sweep):
    table = sweep(world(2), trials=40, blocks=3, seed=2)
    shuffled = replace(table, trials=table.trials.sample(frac=1.0, random_state=1))
    np.testing.assert_allclose(_effects(shuffled), _effects(table), atol=1e-9)


def test_relabelling_trials_and_blocks_changes_nothing(world, sweep):
    table = sweep(world(2), trials=40, blocks=3, seed=2)
    trials = table.trials.copy()
    trials["block"] = 9 - trials["block"]
    trials["order"] = trials["order"].max() - trials["order"]
    np.testing.assert_allclose(_effects(replace(table, trials=trials)), _effects(table), atol=1e-4)
