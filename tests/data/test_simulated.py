"""Simulated nights: seeded by subject, as separable as real ones, with the drawn powers."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.signal import welch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from sleepsweep.data.recording import Epochs, prepared
from sleepsweep.data.simulated import (
    SimulatedSource,
    SimulatedSpec,
    calibration,
    draw_hypnogram,
    draw_log_powers,
    simulate,
    synthesise,
)
from sleepsweep.metrics import confusion, kappa


def log_band_powers(epochs: Epochs) -> np.ndarray:
    """Integrated Welch power with 4-s windows, (epoch, band): the table's own definition."""
    frequencies, density = welch(epochs[:, 0], 100, nperseg=400)
    bands = [(frequencies >= low) & (frequencies < high) for low, high in calibration().bands_hz]
    return np.log(np.stack([density[:, band].sum(axis=1) * 0.25 for band in bands], axis=1))


def test_subject_k_is_the_same_in_studies_of_any_size() -> None:
    few = list(SimulatedSource(SimulatedSpec(subjects=2)).recordings())
    alone = simulate(0, 1, 1)
    assert [r.subject for r in few] == ["sim000", "sim001"]
    np.testing.assert_array_equal(few[1].epochs, alone.epochs)
    np.testing.assert_array_equal(few[1].stages, alone.stages)


def test_subjects_nights_and_seeds_differ() -> None:
    starts = {
        simulate(seed, subject, night).epochs[0, 0, 0].item()
        for seed, subject, night in [(0, 0, 1), (0, 0, 2), (0, 1, 1), (1, 0, 1)]
    }
    assert len(starts) == 4


def test_what_a_night_looks_like() -> None:
    night = simulate(0, 0, 1)
    assert 840 <= len(night.stages) <= 1000
    assert night.epochs.shape[1:] == (1, 3000)
    assert night.epochs.dtype == np.float32
    assert night.stages[0] == 0
    assert set(night.stages.tolist()) == {0, 1, 2, 3, 4}
    assert (night.unit, night.channels, night.sfreq) == ("uV", ("Fpz-Cz",), 100.0)
    assert 5 < night.epochs.std() < 80


def test_hypnograms_follow_the_chain() -> None:
    counts = np.zeros((5, 5))
    for seed in range(40):
        stages = draw_hypnogram(np.random.default_rng(seed))
        np.add.at(counts, (stages[:-1], stages[1:]), 1)
    found = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, calibration().transitions, atol=0.02)


def test_measured_band_powers_are_the_drawn_ones() -> None:
    generator = np.random.default_rng(3)
    drawn = draw_log_powers(draw_hypnogram(generator), np.zeros(5), generator)
    measured = log_band_powers(synthesise(drawn, generator))
    for band in range(5):
        assert np.corrcoef(drawn[:, band], measured[:, band])[0, 1] > 0.97
        assert abs(np.median(measured[:, band] - drawn[:, band])) < 0.12


def test_drawn_powers_have_the_calibrated_moments() -> None:
    stages = np.repeat(np.arange(5, dtype=np.int8), 20_000)
    drawn = draw_log_powers(stages, np.zeros(5), np.random.default_rng(0))
    for stage in range(5):
        own = drawn[stages == stage]
        np.testing.assert_allclose(own.mean(axis=0), calibration().mean[stage], atol=0.05)
        np.testing.assert_allclose(np.cov(own.T), calibration().within[stage], atol=0.06)


def test_the_edge_of_an_epoch_leaves_no_mark() -> None:
    generator = np.random.default_rng(1)
    drawn = draw_log_powers(draw_hypnogram(generator), np.zeros(5), generator)
    signal = synthesise(drawn, generator)[:, 0].ravel()
    steps = np.abs(np.diff(signal))
    at_edges = steps[2999::3000]
    assert np.median(at_edges) == pytest.approx(np.median(steps), rel=0.15)
    assert at_edges.mean() == pytest.approx(steps.mean(), rel=0.15)


def test_stages_are_as_separable_across_subjects_as_real_ones() -> None:
    features, stages, subjects = [], [], []
    for subject in range(10):
        night = simulate(0, subject, 1)
        done = prepared(night, sfreq=100, normalize="robust", wake_crop_min=30).recording
        features.append(log_band_powers(done.epochs))
        stages.append(done.stages)
        subjects.append(np.full(len(done.stages), subject))
    X, y, who = np.concatenate(features), np.concatenate(stages), np.concatenate(subjects)
    model = LinearDiscriminantAnalysis().fit(X[who < 6], y[who < 6])
    found = kappa(confusion(y[who >= 6], model.predict(X[who >= 6])))
    assert 0.45 < found < 0.75


def test_the_calibration_says_where_it_is_from() -> None:
    numbers = calibration()
    np.testing.assert_allclose(numbers.transitions.sum(axis=1), 1, atol=1e-4)
    assert numbers.within.shape == (5, 5, 5)
    assert (np.linalg.eigvalsh(numbers.within) > 0).all()
    assert (np.linalg.eigvalsh(numbers.between) > 0).all()


@pytest.mark.parametrize("wrong", [{"subjects": 0}, {"nights": 3}, {"nights": 0}, {"people": 4}])
def test_a_spec_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        SimulatedSpec.model_validate(wrong)
