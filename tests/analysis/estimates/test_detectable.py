"""The smallest visible effect: planted, it must be called better about four times in five."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sleepsweep_analysis import analyse
from sleepsweep_analysis.comparable import comparable
from sleepsweep_analysis.estimates import detectable, effects
from sleepsweep_analysis.estimates.crosschecks import least_squares
from sleepsweep_analysis.estimates.ranking import holm, verdict
from sleepsweep_analysis.model import build, fit
from sleepsweep_analysis.simulation import CATEGORIES
from sleepsweep_analysis.warnings import detectable as smallest
from sleepsweep_analysis.warnings import runs_for
from sleepsweep_analysis.words import verdict as sentences

REPLICATES = 24


def _posterior(table):
    chosen = comparable(table)
    posterior = fit(build(chosen))
    return posterior, effects.contrasts(posterior)


def _reported(table) -> float:
    """The number that the report of `table` prints."""
    least = detectable.detectable_effects(*_posterior(table), seed=0)
    assert np.isfinite(least).all()
    return float(np.quantile(least, detectable.TYPICAL))


def _found(planted, sweep, one: int, effect: float, **sizes) -> bool:
    """Whether augmentation `one`, its true effect made `effect`, is called better."""
    truth = planted.effects.copy()
    truth[one] += effect - list(planted.augmentation_truth().values())[one]
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


def test_flat_estimates_equal_least_squares_where_noise_is_alone(world, sweep):
    """With one rung, no pairs, no settings and a straight size curve: ordinary least squares."""
    planted = world(2)
    table = sweep(planted, trials=90, blocks=3, seed=2, rungs=1, asha=False)
    severities = [column for column in table.trials if column.startswith("severity.")]
    table = replace(table, trials=table.trials.assign(**dict.fromkeys(severities, np.nan)))
    posterior, _ = _posterior(table)
    layout, reml = posterior.design.layout, posterior.reml
    known = {"within": 30.0, "pair": 1e-6, "size": 1e-6}
    found = reml.solve(np.log([posterior.sds[name] for name in reml.names]), known=known)
    rows = np.array([layout.plain(j) for j in range(14)])
    frame = least_squares(comparable(table), comparable(table).rows)
    np.testing.assert_allclose(rows @ found.mean, frame["effect"], atol=0.02)
    noise = found.sds["trial"]
    residual = frame["se"] / found.spread(rows)
    assert residual.max() / residual.min() < 1.02
    assert residual.mean() * noise == pytest.approx(noise, rel=0.25)
    assert set(CATEGORIES) == set(frame["augmentation"])


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
    assert smallest(analysis.effects) == np.inf
    assert runs_for(analysis.effects, 14, 1.0) is None
    assert "whatever its size" in analysis.check("UNDERPOWERED").sentence
    assert "inf" not in " ".join(sentences(analysis))


def test_an_augmentation_that_was_never_run_has_no_visible_effect(world, sweep):
    table = sweep(world(1), trials=40, blocks=3, seed=1)
    without = replace(table, trials=table.trials[~table.trials["on.SignFlip"]])
    frame = analyse(without).effects.set_index("augmentation")["detectable"]
    assert frame["SignFlip"] == np.inf
    assert np.isfinite(frame.drop("SignFlip")).all()
