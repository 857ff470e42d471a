"""The smallest visible effect: planted, it must be called better about four times in five."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sleepsweep_analysis import analyse, effects, model, power
from sleepsweep_analysis.comparable import comparable
from sleepsweep_analysis.design import build
from sleepsweep_analysis.methods import noise
from sleepsweep_analysis.ranking import holm, verdict
from sleepsweep_analysis.warnings import detectable, runs_for
from sleepsweep_analysis.words import verdict as sentences

REPLICATES = 24


def _posterior(table):
    chosen = comparable(table)
    posterior = model.fit(build(chosen))
    return posterior, effects.contrasts(chosen, posterior)


def _reported(table) -> float:
    """The number that the report of `table` prints."""
    least = power.detectable_effects(*_posterior(table), seed=0)
    assert np.isfinite(least).all()
    return float(np.quantile(least, power.TYPICAL))


def _found(planted, sweep, one: int, effect: float, **sizes) -> bool:
    """Whether augmentation `one`, its true effect made `effect`, is called better."""
    truth = planted.effects.copy()
    truth[one] += effect - planted.augmentation_truth()[one]
    posterior, rows = _posterior(sweep(replace(planted, effects=truth), **sizes))
    found = posterior.estimate(rows)
    return verdict(found.low[one], found.high[one], holm(found.p)[one]) == "better"


@pytest.mark.slow
@pytest.mark.parametrize("effects_too", [False, True])
@pytest.mark.parametrize(("trials", "blocks"), [(43, 3), (100, 5)])
def test_an_effect_of_the_reported_size_is_found(world, sweep, trials, blocks, effects_too):
    hits = []
    for seed in range(REPLICATES):
        planted, sizes = world(seed, effects=effects_too), {"trials": trials, "blocks": blocks}
        effect = _reported(sweep(planted, **sizes, seed=seed))
        hits.append(_found(planted, sweep, seed % 13, effect, **sizes, seed=seed + 1000))
    assert 0.65 <= np.mean(hits) <= 0.97


def test_flat_estimates_equal_weighted_least_squares(world, sweep):
    """Against generalised least squares with every fixed column and no prior on the effects."""
    posterior, _ = _posterior(sweep(world(2), trials=60, blocks=3, seed=2))
    design, sds = posterior.design, posterior.sds
    columns = design.weights.shape[1]
    rows = np.eye(columns)[:2] - np.eye(columns)[2:4]
    V = sum(sds[name] ** 2 * design.kernels[name] for name in ("trial", "tilt", "early", "size"))
    X, weight = np.hstack([design.switches, design.fixed]), np.linalg.inv(V)
    covariance = np.linalg.pinv(X.T @ weight @ X)
    C = np.hstack([rows[:, :14], np.zeros((2, design.fixed.shape[1]))])
    estimate, se = power.flat(posterior, rows)
    np.testing.assert_allclose(estimate, C @ covariance @ X.T @ weight @ design.points, atol=0.01)
    np.testing.assert_allclose(se, np.sqrt(np.diag(C @ covariance @ C.T)), rtol=0.01)


@pytest.mark.slow
def test_the_runs_that_are_asked_for_are_enough(world, sweep):
    """What a sweep of 100 trials sees, a sweep of 43 asks about 100 trials or more for."""
    asked = []
    for seed in range(6):
        small, large = (
            _reported(sweep(world(seed), trials=n, blocks=b, seed=seed))
            for n, b in ((43, 3), (100, 5))
        )
        asked.append(runs_for(pd.DataFrame({"detectable": [small]}), 43, large))
    assert np.median(asked) >= 100
    assert runs_for(pd.DataFrame({"detectable": [2.0]}), 43, 30.0) == 43


def test_policies_of_one_size_show_no_effect_of_whatever_size(world, sweep):
    table = sweep(world(1), trials=40, blocks=3, seed=1)
    singles = replace(table, trials=table.trials[table.trials["size"] == 1])
    analysis = analyse(singles)
    assert detectable(analysis.augmentations) == np.inf
    assert runs_for(analysis.augmentations, 14, 1.0) is None
    assert "whatever its size" in analysis.check("UNDERPOWERED").sentence
    assert "inf" not in " ".join(sentences(analysis)) + str(noise(analysis)["runs"])


def test_an_augmentation_that_was_never_run_has_no_visible_effect(world, sweep):
    table = sweep(world(1), trials=40, blocks=3, seed=1)
    without = replace(table, trials=table.trials[~table.trials["on.SignFlip"]])
    frame = analyse(without).augmentations.set_index("augmentation")["detectable"]
    assert frame["SignFlip"] == np.inf
    assert np.isfinite(frame.drop("SignFlip")).all()
