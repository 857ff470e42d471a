"""How far a sweep ranks as the published singles do."""

import os
from pathlib import Path

import pytest

from benchmarks.published_names import augmentation_name, category_name
from benchmarks.published_ranking import agreement, singles
from sleepsweep.augment.registry import augmentations
from sleepsweep_analysis import Analysis, analyse, load

ROOT = Path(__file__).parents[2]
DATA = os.environ.get("SLEEPSWEEP_DATA")


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse(load(ROOT / "docs" / "results" / "simulated"))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_sweep_agrees_with_its_own_effects(analysis: Analysis, sign: float) -> None:
    effects = analysis.effects[analysis.effects["category"] != "placebo"]
    own = sign * effects.set_index("augmentation")["effect"]
    found = agreement(analysis, own).set_index("what")
    assert list(found["of"]) == [5, 13]
    assert list(found["rho"]) == pytest.approx([sign, sign])
    # Draws scatter about the effects, so that none of them agrees better.
    assert (found["low"] <= found["high"]).all()
    assert ((found[["low", "high"]].abs() <= 1.0).all()).all()
    assert (sign * (found["high"] + found["low"]) > 0).all()


def test_too_few_in_common_have_no_correlation(analysis: Analysis) -> None:
    two = analysis.effects.set_index("augmentation")["effect"][["SignFlip", "TimeWarping"]]
    assert agreement(analysis, two)[["rho", "low", "high"]].isna().all(axis=None)


@pytest.mark.skipif(DATA is None, reason="SLEEPSWEEP_DATA does not name the published table")
def test_the_published_singles_are_all_thirteen_once() -> None:
    scores = singles(Path(str(DATA)) / "published.csv")
    assert len(scores) == 13
    assert set(scores.index) < set(augmentations())
    assert scores.index.is_unique
    assert scores["TailoredMixup"] == 65.16


def test_published_names_are_this_projects() -> None:
    assert augmentation_name("AverageFilter") == "AverageFiltering"
    assert category_name("Noise-and-Filtering") == "noise"
    assert category_name("placebo") == "placebo"
