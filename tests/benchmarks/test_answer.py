"""The benchmark of the time to the answer: worlds, crossings and their intervals, a small run."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks import answer
from benchmarks.crossing import Curve, ratio, wilson
from benchmarks.planted import Planted, World
from sleepsweep.trial import MemberSpec

EFFECTS = {"SignFlip": 1.0, "RandomDCShift": -0.5, "TailoredMixup": 0.4, "TimeReversal": 0.2}


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted.read()


def _exact(world: World, largest: int) -> dict[str, float]:
    """Mean gains by going through every set: sizes are equally likely, and sets of a size."""
    names = list(world.effects)
    gains: dict[str, list[float]] = {}
    for j, category in enumerate(world.categories):
        others = [k for k in range(len(names)) if k != j]
        total = 0.0
        for size in range(largest):
            for chosen in combinations(others, size):
                without = np.isin(np.arange(len(names)), chosen).astype(float)
                added = world.value(without + np.eye(len(names))[j]) - world.value(without)
                total += float(added) / comb(len(others), size) / largest
        gains.setdefault(category, []).append(total)
    return {category: float(np.mean(each)) for category, each in gains.items()}


@pytest.mark.parametrize("bound", [None, 1.5])
def test_a_truth_is_the_mean_over_all_sets(bound: float | None) -> None:
    world = World("", EFFECTS, {"frequency": 0.7}, bound)
    found = world.gains(largest=3)
    assert found == pytest.approx(_exact(world, 3), abs=0.02)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_pairs_pay_between_categories_only() -> None:
    world = World("", {"TailoredMixup": 0.0, "RandomBandStopFilter": 0.0, "SignFlip": 0.0},
                  {"frequency": 0.7})  # fmt: skip
    assert world.value(np.array([1.0, 1.0, 0.0])) == pytest.approx(0.0)
    assert world.value(np.array([1.0, 1.0, 1.0])) == pytest.approx(1.4)


def test_weaker_settings_weaken_and_stronger_ones_add_nothing() -> None:
    world = World("", {"SignFlip": 1.0, "TimeWarping": 1.0})
    warped = [
        world.strengths((MemberSpec(name="TimeWarping", p=1.0, severity=severity),))[1]
        for severity in (0.0, 0.25, 0.5, 1.0)
    ]
    assert warped == pytest.approx([0.0, 0.75, 1.0, 1.0])
    # Half of the views are changed: three pairs in four have one.
    assert world.strengths((MemberSpec(name="SignFlip", p=0.5),)) == pytest.approx([0.75, 0.0])


def test_planted_worlds_say_what_they_are_for(planted: Planted) -> None:
    alone = {
        name: world.gains(largest=1) for name, world in planted.worlds.items()
    }  # fmt: skip
    best = {name: next(iter(world.gains())) for name, world in planted.worlds.items()}
    assert best["additive"] == best["diminishing"] == best["together"] == "frequency"
    assert next(iter(alone["together"])) == "temporal"
    assert all(next(iter(alone[name])) == best[name] for name in best if name != "together")


def test_wilsons_interval_is_scipys() -> None:
    for hits, count in [(0, 10), (36, 40), (40, 40)]:
        expected = binomtest(hits, count).proportion_ci(0.95, method="wilson")
        assert wilson(hits, count) == pytest.approx((expected.low, expected.high))


def _curve(shares: list[float], cost: float = 1.0) -> Curve:
    right = np.array([[n < round(100 * share) for share in shares] for n in range(100)], float)
    steps = cost * np.tile(10.0 ** np.arange(1, len(shares) + 1), (100, 1))
    return Curve(range(len(shares)), steps, right)


def test_a_crossing_is_read_on_the_logarithm_of_the_steps() -> None:
    assert _curve([0.5, 0.8, 1.0]).needed(0.9) == pytest.approx(10**2.5)
    assert _curve([0.9, 1.0]).needed(0.9) == pytest.approx(10.0)
    assert _curve([0.1, 0.3]).needed(0.9) == float("inf")
    # A share that falls by chance is averaged with the one before.
    assert _curve([0.5, 0.9, 0.7, 1.0]).needed(0.9) == pytest.approx(10**3.5)


def test_a_ratio_has_an_interval_and_may_be_infinite() -> None:
    times, low, high = ratio(_curve([0.5, 0.8, 1.0], 3.0), _curve([0.5, 0.8, 1.0]), 0.9)
    assert times == pytest.approx(3.0)
    assert low == pytest.approx(3.0)
    assert high == pytest.approx(3.0)  # the same studies in both: nothing left to chance
    assert ratio(_curve([0.1, 0.2]), _curve([0.9, 1.0]), 0.9) == (float("inf"),) * 3
    assert ratio(_curve([0.9, 1.0]), _curve([0.1, 0.2]), 0.9) == (0.0, 0.0, 0.0)


def test_a_sweep_cut_off_is_the_sweep_that_was_shorter(planted: Planted) -> None:
    """Trials drawn later change none before: both are laid out, stopped and scored alike."""
    way, world = answer.our_way(planted), planted.worlds["additive"]
    plan = way.plan(3)
    search = plan.spec.search.model_copy(update={"trials": 21})
    shorter = way.spec.model_copy(update={"search": search})
    short = planted.study(answer.replace(way, spec=shorter).plan(3), world, 3)
    cut = way.cut(planted.study(plan, world, 3), 24)
    columns = ["trial", "rung", "macro_f1", "decision", "last", "steps_trained"]
    assert cut.trials[columns].equals(short.trials[columns])
    assert answer.steps_trained(cut) == answer.steps_trained(short)


def test_one_at_a_time_trains_thirteen_full_runs_a_seed(planted: Planted) -> None:
    way, world = answer.published_way(planted), planted.worlds["published"]
    study = planted.study(way.plan(0), world, 0)
    assert answer.steps_trained(way.cut(study, 2)) == 2 * 13 * 2000
    assert way.rank(study) == "masking"


@pytest.fixture(scope="module")
def small(planted: Planted) -> dict[str, answer.Result]:
    return {"published": answer.measure(planted, "published", [answer.SHIPPED], 3)}


def test_a_small_run_gives_sane_ratios_and_tables(small: dict[str, answer.Result]) -> None:
    (ours,) = small["published"]["ours"].values()
    times, low, high = ours["times"]
    assert 0 <= low <= times <= high
    assert small["published"]["published"]["steps_needed"] == 26_000
    assert all(0 <= each["right"] <= 1 for each in ours["sizes"])
    text = answer.markdown(small)
    assert "| published | masking, by 2.7 points | as shipped | at most 26,000 |" in text
