"""Hypnograms: what was planted is estimated, and what was estimated is drawn."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sleepsweep.data.simulation.bouts import bouts_of
from sleepsweep.data.simulation.calibration import committed
from sleepsweep.data.simulation.hypnogram import EDGE_WAKE, HOURS, LENGTH_EDGES, HypnogramModel


def drawn(model: HypnogramModel, subjects: int, nights: int = 2) -> pd.DataFrame:
    frames = []
    for subject in range(subjects):
        generator = np.random.default_rng(subject)
        person = model.person(generator)
        for night in range(nights):
            stages = model.draw(person, generator)
            frame = pd.DataFrame({"stage": stages, "onset_s": 30.0 * np.arange(len(stages))})
            frames.append(frame.assign(subject=subject, night=night))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def nights() -> pd.DataFrame:
    return drawn(committed().hypnogram, 60)


def test_a_night_is_wake_then_sleep_then_wake() -> None:
    model = committed().hypnogram
    for seed in range(20):
        stages = model.draw(np.ones(5), np.random.default_rng(seed))
        assert stages.dtype == np.int8
        assert set(stages) <= set(range(5))
        assert not stages[:EDGE_WAKE].any()
        assert not stages[-EDGE_WAKE:].any()
        assert stages[EDGE_WAKE] > 0
        assert stages[-EDGE_WAKE - 1] > 0


def test_deep_sleep_comes_early_and_rem_late(nights: pd.DataFrame) -> None:
    hours = nights["onset_s"] / 3600 - EDGE_WAKE / 120
    early, late = nights[hours.between(0.5, 3)]["stage"], nights[hours.between(4.5, 7)]["stage"]
    assert (early == 3).mean() > 1.5 * (late == 3).mean()
    assert (late == 4).mean() > 1.2 * (early == 4).mean()


def test_a_model_is_found_again_in_its_own_nights(nights: pd.DataFrame) -> None:
    model, found = committed().hypnogram, HypnogramModel.estimate(nights)
    assert found.lengths.shape == (len(HOURS), 5, len(LENGTH_EDGES) - 1)
    np.testing.assert_allclose(found.first, model.first, atol=0.05)
    np.testing.assert_allclose(found.following[1, 2], model.following[1, 2], atol=0.08)
    medians = np.quantile(model.night_epochs, 0.5), np.quantile(found.night_epochs, 0.5)
    assert medians[1] == pytest.approx(medians[0], rel=0.05)


def test_bouts_do_not_last_geometrically(nights: pd.DataFrame) -> None:
    bouts = bouts_of(nights)
    wake = bouts.length[(bouts.stage == 0) & bouts.whole]
    assert wake.std() > 2 * wake.mean()  # a geometric distribution's sd is below its mean


def test_people_differ_by_as_much_as_the_model_says() -> None:
    numbers = committed().hypnogram.as_json()
    alike = HypnogramModel.from_json({**numbers, "person_sd": [0.0] * 5})
    diverse = HypnogramModel.from_json({**numbers, "person_sd": [0.0, 0.0, 0.0, 1.5, 0.0]})
    spread = [deep_share(drawn(model, 40)).std() for model in (alike, diverse)]
    assert spread[1] > 1.2 * spread[0]
    np.testing.assert_array_equal(alike.person(np.random.default_rng(0)), np.ones(5))


def deep_share(nights: pd.DataFrame) -> Any:
    return (nights["stage"] == 3).groupby(nights["subject"]).mean()


def test_plain_numbers_and_back() -> None:
    model = committed().hypnogram
    again = HypnogramModel.from_json(model.as_json())
    for name, values in vars(model).items():
        np.testing.assert_array_equal(getattr(again, name), values)
