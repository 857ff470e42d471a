"""Planted truth: do intervals cover, do verdicts stay silent where there is nothing?

Each effect of each replicate counts once; effects of one replicate hang together, so the band is
wider than that of independent counts.
"""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sleepsweep_analysis import analyse
from sleepsweep_analysis.simulation import CATEGORIES, PublishedNoise
from sleepsweep_analysis.simulation.study import MODEL, Scenario, replicate, run, summary
from sleepsweep_analysis.simulation.sweeps import RERUN_SD, RUN_SD, SPLIT_SD

DECIDED = ["better", "worse"]


def _of(scenario: Scenario, replicates: int, estimator: str = MODEL) -> pd.DataFrame:
    """The summary of one estimator, by kind."""
    frame = summary(run(scenario, range(replicates)))
    return frame[frame["estimator"] == estimator].set_index("kind")


def test_planted_effects_are_found(world, sweep):
    planted = world(5)
    analysis = analyse(sweep(planted, trials=100, blocks=5, seed=5))
    frame = analysis.effects
    truth = frame["augmentation"].map(planted.augmentation_truth())
    assert np.corrcoef(frame["effect"], truth)[0, 1] > 0.9
    assert not ((frame["verdict"] == "better") & (truth < 0)).any()
    assert not ((frame["verdict"] == "worse") & (truth > 0)).any()
    sizes = analysis.size_curve
    assert np.abs(sizes["difference"] - planted.size_truth()[sizes["size"]]).max() < 1.5


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_declared_where_nothing_is(seed):
    frame = replicate(Scenario("none", "none", trials=40, blocks=3), seed)
    mine = frame[frame["estimator"] == MODEL]
    assert set(mine["kind"]) == {"augmentation", "category"}
    assert not mine["verdict"].isin(DECIDED).any()


def test_the_summary_counts_what_it_says():
    frame = pd.DataFrame({
        "seed": [0, 0, 1, 1], "estimator": "e", "kind": "augmentation", "name": ["a", "b"] * 2,
        "truth": [1.0, -1.0, 1.0, 0.0], "effect": [1.0, 2.0, 0.0, 0.5],
        "low": [0.5, 1.0, -0.1, 0.1], "high": [1.5, 3.0, 0.1, 0.9],
        "verdict": ["better", "better", "cannot tell", "better"],
    })  # fmt: skip
    row = summary(frame).iloc[0]
    assert row["cover"] == 0.25
    assert row["RMSE"] == pytest.approx(np.sqrt((0 + 9 + 1 + 0.25) / 4))
    assert row["alarms"] == 1.0
    assert row["rank ρ"] == pytest.approx(-1.0)


def test_the_truth_of_a_world_is_that_of_its_sets(world):
    """The effect of one augmentation against the average over random sets."""
    planted, rng, j = world(3), np.random.default_rng(0), 4
    names, half = list(CATEGORIES), np.full(14, 0.5)
    still = planted.slopes * 0
    planted = type(planted)(**{**vars(planted), "slopes": still, "bends": still})
    changes = []
    for _ in range(20_000):
        on = np.zeros(14)
        others = [i for i in range(13) if i != j]
        on[rng.choice(others, rng.integers(0, 6), replace=False)] = 1
        before = planted.value(on, half, 3)
        on[j] = 1
        changes.append(planted.value(on, half, 3) - before)
    assert np.mean(changes) == pytest.approx(planted.augmentation_truth()[names[j]], abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("trials", "blocks"), [(12, 2), (60, 4), (150, 5)])
def test_intervals_cover_the_truth(trials, blocks):
    found = _of(Scenario("effects", trials=trials, blocks=blocks), 40)
    assert found["cover"].between(0.90, 0.98).all() or trials == 12
    assert found["cover"].min() >= 0.90
    if trials == 150:
        assert found.loc["category", "rank ρ"] >= 0.9


@pytest.mark.slow
def test_family_wise_false_alarms_without_effects():
    found = _of(Scenario("none", "none", trials=80, blocks=4), 40)
    assert found["alarms"].max() <= 0.10


@pytest.mark.slow
def test_augmentations_that_differ_only_in_speed_are_declared_by_the_first_rung_only():
    found = summary(run(Scenario("speed", "speed", trials=100, blocks=5), range(40)))
    alarms = found.set_index(["estimator", "kind"])["alarms"]
    assert alarms[MODEL].max() <= 0.10
    assert alarms["least squares, first rung", "augmentation"] >= 0.5


@pytest.mark.slow
def test_the_command_prints_its_table():
    command = [sys.executable, "-m", "sleepsweep_analysis.simulation", "--replicates", "1"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.count("\n") == 2 + 7 * 5


def test_published_noise_has_its_standard_deviations_and_no_effect():
    noise = [PublishedNoise(seed) for seed in range(400)]
    last = np.array(
        [[n.score(0, 0, 3, 4), n.score(1, 0, 3, 4), n.score(2, 1, 3, 4)] for n in noise]
    )
    within = np.std(last[:, 0] - last[:, 1], ddof=1) * 100
    between = np.std(last[:, 0] - last[:, 2], ddof=1) * 100
    run = RUN_SD**2 + RERUN_SD**2
    assert within == pytest.approx(np.sqrt(2 * run), rel=0.1)
    assert between == pytest.approx(np.sqrt(2 * (run + SPLIT_SD**2)), rel=0.1)
    assert noise[0].score(5, 1, 2, 4) == noise[0].score(5, 1, 2, 4)
    assert abs(last.mean() - 0.6) < 0.003
