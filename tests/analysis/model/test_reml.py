"""The likelihood and the posterior, against a dense derivation over observations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sleepsweep.results import ResultsTable
from sleepsweep_analysis.comparable import Comparable, comparable
from sleepsweep_analysis.model import PRIORS, Reml, build, fit
from sleepsweep_analysis.model.layout import size_covariance
from sleepsweep_analysis.simulation import CATEGORIES

SDS = {"category": 0.8, "within": 0.5, "pair": 0.3, "size": 1.1, "dose": 0.4, "bend": 0.6,
       "covariate": 0.5, "tilt": 0.4, "trial": 0.7, "early": 0.6}  # fmt: skip


@pytest.fixture
def table(world, sweep) -> ResultsTable:
    """A sweep with severities, a searched temperature and a searched loss."""
    table = sweep(world(1), trials=40, blocks=3, seed=1)
    rng = np.random.default_rng(0)
    numbers = rng.uniform(0.05, 0.2, 40)[table.trials["order"]]
    choices = np.where(table.trials["order"] % 2, "nt_xent", "vicreg")
    trials = table.trials.assign(
        **{"hp.pretrain.temperature": numbers, "hp.pretrain.loss": choices}
    )
    return replace(table, trials=trials)


@pytest.fixture
def chosen(table) -> Comparable:
    return comparable(table)


def at(reml: Reml) -> np.ndarray:
    return np.log([SDS[name] for name in reml.names])


def test_every_term_is_there(chosen):
    assert Reml(build(chosen)).names == tuple(PRIORS)


def test_gradient_equals_finite_differences(chosen):
    reml = Reml(build(chosen))
    rng = np.random.default_rng(0)
    for _ in range(3):
        point = reml.centre + rng.normal(0, 0.7, len(reml.names))
        step = 1e-4 * np.eye(len(point))
        slow = [(reml.value(point + d) - reml.value(point - d)) / 2e-4 for d in step]
        np.testing.assert_allclose(reml.gradient(point)[1], slow, rtol=1e-4, atol=1e-4)


def covariance(chosen: Comparable, sds: dict[str, float], flat: float) -> np.ndarray:
    """Covariance of the observations, (n, n), pair by pair from the model as it is written down."""
    rows = chosen.rows
    on = rows[[f"on.{name}" for name in CATEGORIES]].to_numpy(dtype=float)
    real = on[:, :-1]
    category = np.array([c for c in CATEGORIES.values() if c != "placebo"])
    size, rung = real.sum(axis=1).astype(int), rows["rung"].to_numpy()
    early = (rung != rung.max()).astype(float)
    same_rung = (rung[:, None] == rung[None, :]) * early
    members = [real[:, category == c].sum(axis=1) for c in dict.fromkeys(category)]
    both = real @ real.T
    V = 30.0**2 * (np.outer(size, size) + np.outer(on[:, -1], on[:, -1]))
    V += sds["category"] ** 2 * sum(np.outer(m, m) for m in members)
    V += sds["within"] ** 2 * both
    V += sds["pair"] ** 2 * both * (both - 1) / 2
    V += sds["size"] ** 2 * size_covariance(20)[np.ix_(size, size)]
    z = _temperature(rows)
    loss = rows["hp.pretrain.loss"].to_numpy()
    alike = (loss[:, None] == loss[None, :]).astype(float) + np.outer(z, z)
    V += sds["covariate"] ** 2 * both * alike
    V += sds["tilt"] ** 2 * same_rung * (on @ on.T + alike)
    doses, bends = _settings(rows)
    V += sds["dose"] ** 2 * doses @ doses.T + 9 * np.outer(doses.sum(axis=1), doses.sum(axis=1))
    V += sds["bend"] ** 2 * bends @ bends.T + 9 * np.outer(bends.sum(axis=1), bends.sum(axis=1))
    trial, block = rows["trial"].to_numpy(), rows["block"].to_numpy()
    V += sds["trial"] ** 2 * (trial[:, None] == trial[None, :]) + np.diag(sds["early"] ** 2 * early)
    V += flat**2 * ((block[:, None] == block[None, :]).astype(float) + same_rung)
    return V + flat**2 * (
        np.outer(z, z) + np.outer(z**2, z**2) + np.outer(loss == "vicreg", loss == "vicreg")
    )


def _temperature(rows) -> np.ndarray:
    value = rows["hp.pretrain.temperature"].to_numpy()
    return (value - value.min()) / (value.max() - value.min()) - 0.5


def _settings(rows) -> tuple[np.ndarray, np.ndarray]:
    severity = rows[[f"severity.{name}" for name in CATEGORIES]].to_numpy(dtype=float)
    run = np.isfinite(severity).any(axis=0)
    low, high = (f(severity[:, run], axis=0) for f in (np.nanmin, np.nanmax))
    t = (severity[:, run] - low) / (high - low) - 0.5
    return np.nan_to_num(t), np.nan_to_num(t**2 - 1 / 12)


def test_likelihood_equals_that_of_a_dense_normal(chosen):
    """Differences between two points, since constants of the flat columns are left out."""
    reml = Reml(build(chosen))
    points = (at(reml), at(reml) + 0.1)
    found = [reml.value(point) - _log_prior(reml, point) for point in points]
    y = chosen.rows["points"].to_numpy()
    slow = []
    for scale in (1.0, np.exp(0.1)):
        V = covariance(chosen, {name: scale * sd for name, sd in SDS.items()}, flat=1e3)
        slow.append(-multivariate_normal(mean=np.full(len(y), y.mean()), cov=V).logpdf(y))
    np.testing.assert_allclose(found[1] - found[0], slow[1] - slow[0], rtol=1e-3)


def _log_prior(reml: Reml, point: np.ndarray) -> float:
    return float(0.5 * (((point - reml.centre) / reml.spread) ** 2).sum())


def test_estimates_equal_a_dense_computation(chosen):
    """Everything but noise, at every observation: the conditional normal from the covariances."""
    design = build(chosen)
    reml = Reml(design)
    found = reml.solve(at(reml))
    V = covariance(chosen, SDS, flat=200.0)
    signal = V - covariance(chosen, dict.fromkeys(SDS, 0.0) | _noise(), flat=0.0) + _base(chosen)
    y = chosen.rows["points"].to_numpy()
    gain = np.linalg.solve(V, signal).T
    spread = signal - gain @ signal
    D = np.eye(len(y))[:5] - np.eye(len(y))[5:10]
    np.testing.assert_allclose(
        D @ design.columns @ found.mean, D @ gain @ (y - y.mean()), atol=5e-3
    )
    slow = np.sqrt(np.diag(D @ spread @ D.T))
    np.testing.assert_allclose(found.spread(D @ design.columns), slow, rtol=5e-3)


def _noise() -> dict[str, float]:
    return {name: SDS[name] for name in ("trial", "early")}


def _base(chosen: Comparable) -> np.ndarray:
    """What `covariance` holds when every standard deviation is 0 and nothing is flat."""
    return covariance(chosen, dict.fromkeys(SDS, 0.0), flat=0.0)


def test_a_mean_of_three_runs_counts_as_three(chosen):
    rows = chosen.rows.assign(replicates=3)
    once, thrice = (Reml(build(replace(chosen, rows=each))) for each in (chosen.rows, rows))
    tripled = at(once) + np.where(np.isin(once.names, ["trial", "early"]), np.log(3) / 2, 0)
    found, same = once.solve(at(once)), thrice.solve(tripled)
    np.testing.assert_allclose(found.mean, same.mean, atol=1e-6)


def test_a_covariate_tied_to_the_blocks_is_left_out(chosen):
    rows = chosen.rows.assign(**{"hp.pretrain.loss": chosen.rows["block"].map(str)})
    reml = Reml(build(replace(chosen, rows=rows)))
    assert len(reml.kept) == reml.layout.width - 2
    assert np.isfinite(reml.solve(at(reml)).mean).all()


def test_other_points_give_the_fit_of_these_points(chosen):
    design = build(chosen)
    moved = design.points + design.switches[:, 0]
    fresh, again = Reml(replace(design, points=moved)), Reml(design).with_points(moved)
    np.testing.assert_allclose(fresh.solve(at(fresh)).mean, again.solve(at(again)).mean)
    assert again.design.points is moved


def test_draws_have_the_moments_of_the_posterior(chosen):
    posterior = fit(build(chosen))
    layout = posterior.design.layout
    rows = np.array(
        [layout.added(0), layout.added(13), layout.of_size(3), layout.at_dial(1, 0.5, 0.1)]
    )
    found, draws = posterior.estimate(rows), posterior.draws(20_000, 0) @ rows.T
    np.testing.assert_allclose(draws.mean(axis=0), found.mean, atol=0.05)
    np.testing.assert_allclose(draws.std(axis=0), found.se, rtol=0.1)
    np.testing.assert_allclose(np.quantile(draws, 0.975, axis=0), found.high, atol=0.15)
