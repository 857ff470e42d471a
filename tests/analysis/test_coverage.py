"""Planted truth: do intervals cover, do verdicts stay silent where there is nothing?

Each effect of each replicate counts once; effects of one replicate hang together, so the band is
wider than that of independent counts.
"""

import numpy as np
import pytest

from sleepsweep_analysis import analyse

DECIDED = ["better", "worse"]


def _replicate(world, sweep, seed: int, trials: int, blocks: int) -> tuple[list[bool], float]:
    planted = world(seed)
    designs = (
        trials > 20
    )  # twelve trials would all be designs (none and singles), none a random set
    table = sweep(planted, trials=trials, blocks=blocks, seed=seed, designs=designs)
    frame = analyse(table).categories
    truth = frame["category"].map(planted.category_truth())
    covered = (frame["low"] <= truth) & (truth <= frame["high"])
    return covered.tolist(), float(frame["effect"].corr(truth))


def test_planted_effects_are_found(world, sweep):
    planted = world(5)
    analysis = analyse(sweep(planted, trials=100, blocks=5, seed=5))
    frame = analysis.augmentations
    truth = frame["augmentation"].map(
        dict(zip(planted.names, planted.augmentation_truth(), strict=True))
    )
    assert np.corrcoef(frame["effect"], truth)[0, 1] > 0.9
    wrong = ((frame["verdict"] == "better") & (truth < 0)).any()
    assert not wrong
    assert not ((frame["verdict"] == "worse") & (truth > 0)).any()
    sizes = analysis.sizes
    assert np.abs(sizes["difference"] - planted.size_truth()[sizes["size"]]).max() < 1.5


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_declared_where_nothing_is(world, sweep, seed):
    analysis = analyse(sweep(world(seed, effects=False), trials=40, blocks=3, seed=seed))
    assert not analysis.categories["verdict"].isin(DECIDED).any()


@pytest.mark.slow
@pytest.mark.parametrize(("trials", "blocks"), [(12, 2), (60, 4), (100, 5)])
def test_intervals_of_categories_cover_the_truth(world, sweep, trials, blocks):
    found = [_replicate(world, sweep, seed, trials, blocks) for seed in range(40)]
    coverage = np.mean([hit for covered, _ in found for hit in covered])
    assert 0.88 <= coverage <= 0.99
    if trials == 100:
        assert np.mean([correlation for _, correlation in found]) >= 0.9


@pytest.mark.slow
def test_family_wise_false_alarms_without_effects(world, sweep):
    alarms = []
    for seed in range(40):
        analysis = analyse(sweep(world(seed, effects=False), trials=80, blocks=4, seed=seed))
        frames = (analysis.categories, analysis.augmentations)
        alarms.append([bool(frame["verdict"].isin(DECIDED).any()) for frame in frames])
    assert np.mean(alarms, axis=0).max() <= 0.10


@pytest.mark.slow
def test_augmentations_that_differ_only_in_speed_are_not_declared(world, sweep):
    alarms = []
    for seed in range(20):
        still, fast = world(seed, effects=False), world(seed)
        planted = type(still)(still.effects, still.pairs, still.curve, fast.tilts)
        analysis = analyse(sweep(planted, trials=80, blocks=4, seed=seed))
        alarms.append(bool(analysis.categories["verdict"].isin(DECIDED).any()))
    assert np.mean(alarms) <= 0.10
