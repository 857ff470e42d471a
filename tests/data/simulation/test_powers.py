"""Log band powers: planted components are found, drawn ones have the model's moments."""

import numpy as np
import pandas as pd
import pytest

from sleepsweep.data.simulation.calibration import FEATURES, committed
from sleepsweep.data.simulation.powers import PowerModel, levelled

FEATURE_COUNT = len(FEATURES)


@pytest.fixture(scope="module")
def model() -> PowerModel:
    return committed().powers


def planted(subjects: int = 120) -> pd.DataFrame:
    """Independent features: person sd 0.4 (all stages alike), night sd 0.2, residual sd 0.3."""
    generator = np.random.default_rng(0)
    stages = np.tile(np.repeat(np.arange(5), 40), 3)
    frames = []
    for subject in range(subjects):
        person = generator.normal(0, 0.4, FEATURE_COUNT)
        for night in (1, 2):
            offset = person + generator.normal(0, 0.2, FEATURE_COUNT)
            powers = -stages[:, None] + offset + slow(len(stages), generator) * 0.3
            frame = pd.DataFrame(powers, columns=FEATURES)
            onsets = 30.0 * np.arange(len(stages))
            frames.append(frame.assign(subject=subject, night=night, onset_s=onsets, stage=stages))
    return pd.concat(frames, ignore_index=True)


def slow(count: int, generator: np.random.Generator) -> np.ndarray:
    """Half of the variance with a correlation of 0.9 over an epoch, half fresh."""
    values = generator.standard_normal((count, FEATURE_COUNT))
    for place in range(1, count):
        values[place] = 0.9 * values[place - 1] + np.sqrt(1 - 0.81) * values[place]
    return (values + generator.standard_normal((count, FEATURE_COUNT))) / np.sqrt(2)


def test_planted_components_are_found() -> None:
    found = PowerModel.estimate(planted(), FEATURES)
    within = np.diff(found.mean, axis=0)
    np.testing.assert_allclose(within, -1, atol=0.05)
    residual_sd = np.sqrt(np.diagonal(found.residual, axis1=1, axis2=2))
    assert np.median(residual_sd) == pytest.approx(0.3, rel=0.1)
    assert float(found.decay) == pytest.approx(0.9, abs=0.05)
    assert float(np.mean(found.slow)) == pytest.approx(0.5, abs=0.12)


def test_the_offset_of_a_person_is_told_from_that_of_a_night() -> None:
    # Levels are taken out of every channel, which leaves differences between its bands.
    found = PowerModel.estimate(planted(), FEATURES)
    contrast = np.zeros(FEATURE_COUNT)
    contrast[[0, 1]] = 1, -1
    person, night = contrast @ found.person[0] @ contrast, contrast @ found.night[0] @ contrast
    assert np.sqrt(person) == pytest.approx(0.4 * np.sqrt(2), rel=0.2)
    assert np.sqrt(night) == pytest.approx(0.2 * np.sqrt(2), rel=0.35)


def test_levels_are_made_equal_and_nothing_else() -> None:
    table = planted(4)
    stage = table["stage"].to_numpy(dtype=np.int64)
    owner = table.groupby(["subject", "night"]).ngroup().to_numpy(dtype=np.int64)
    powers = table[FEATURES].to_numpy()
    louder = powers + np.repeat(np.where(owner == 3, 2.0, 0.0)[:, None], FEATURE_COUNT, axis=1)
    difference = levelled(louder, stage, owner) - levelled(powers, stage, owner)
    np.testing.assert_allclose(difference, difference[0, 0], atol=1e-9)


def test_drawn_residuals_have_the_covariances_of_their_stage(model: PowerModel) -> None:
    stages = np.tile(np.repeat(np.arange(5, dtype=np.int8), 40), 60)
    still = PowerModel(**{**vars(model), "night": np.zeros_like(model.night)})
    powers = still.draw(stages, np.zeros((5, FEATURE_COUNT)), np.random.default_rng(0))
    for stage in range(5):
        own = powers[stages == stage]
        np.testing.assert_allclose(own.mean(axis=0), model.mean[stage], atol=1e-9)
        found, wanted = np.cov(own.T), model.residual[stage]
        assert np.linalg.norm(found - wanted) < 0.25 * np.linalg.norm(wanted)


def test_neighbouring_epochs_are_alike_within_a_stage_more_than_across(model: PowerModel) -> None:
    stages = np.tile(np.repeat(np.array([1, 2], dtype=np.int8), 20), 100)
    powers = model.draw(stages, np.zeros((5, FEATURE_COUNT)), np.random.default_rng(0))
    left = powers - np.stack([powers[stages == s].mean(axis=0) for s in (1, 2)])[stages - 1]
    left /= np.stack([left[stages == s].std(axis=0) for s in (1, 2)])[stages - 1]
    products = (left[1:] * left[:-1]).mean(axis=1)
    same = stages[1:] == stages[:-1]
    assert 0.3 < products[same].mean() < 0.7
    assert products[~same].mean() < 0.75 * products[same].mean()


def test_persons_have_the_covariance_between_people(model: PowerModel) -> None:
    generator = np.random.default_rng(0)
    persons = np.stack([model.draw_person(generator) for _ in range(4000)])
    for stage in range(5):
        wanted = np.diag(model.person[0] + model.person[1 + stage])
        np.testing.assert_allclose(persons[:, stage].var(axis=0), wanted, rtol=0.15, atol=0.005)
