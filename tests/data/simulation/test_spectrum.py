"""A signal has the powers and the waveforms that it was asked for."""

import numpy as np
import pytest

from sleepsweep.data.simulation.layout import EDGES_HZ, SAMPLES, SFREQ
from sleepsweep.data.simulation.spectrum import (
    MOST_WAVES,
    band_powers,
    leakage,
    synthesise,
)

BANDS = len(EDGES_HZ) - 1


def sine(hz: float, amplitude: float, epochs: int) -> np.ndarray:
    times = np.arange(epochs * SAMPLES) / SFREQ
    return (amplitude * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def some_powers(epochs: int) -> np.ndarray:
    generator = np.random.default_rng(0)
    return np.exp(generator.normal([4, 2, 1.5, 1, 0.5], 0.4, (epochs, BANDS)))


@pytest.mark.parametrize(("hz", "band"), [(2, 0), (6, 1), (10, 2), (14, 3), (20, 4)])
def test_a_sine_of_amplitude_a_has_power_half_a_squared_in_its_band(hz: float, band: int) -> None:
    powers = band_powers(sine(hz, 3.0, 2))
    np.testing.assert_allclose(powers[:, band], 4.5, rtol=1e-3)
    assert powers[:, [b for b in range(BANDS) if b != band]].max() < 0.05


def test_realised_powers_are_those_asked_for() -> None:
    wanted = some_powers(200)
    silent = np.zeros(200 * SAMPLES, dtype=np.float32)
    signal = synthesise(wanted, silent, np.random.default_rng(1))
    errors = np.log(band_powers(signal)) - np.log(wanted)
    assert signal.dtype == np.float32
    assert np.abs(np.median(errors, axis=0)).max() < 0.05
    assert errors.std(axis=0).max() < 0.2


def test_waveforms_take_their_share_of_the_power_instead_of_adding_to_it() -> None:
    wanted = some_powers(100)
    alpha = sine(10, np.sqrt(2 * 0.5 * np.exp(1.5)), 100)  # half of the usual power
    signal = synthesise(wanted, alpha, np.random.default_rng(1))
    errors = np.log(band_powers(signal)) - np.log(wanted)
    assert np.abs(np.median(errors, axis=0)).max() < 0.06
    assert np.dot(signal, alpha) / np.dot(alpha, alpha) > 0.8


def test_waveforms_that_are_too_strong_are_made_weaker() -> None:
    wanted = some_powers(100)
    alpha = sine(10, 50.0, 100)
    signal = synthesise(wanted, alpha, np.random.default_rng(1))
    held = np.dot(signal, alpha) ** 2 / np.dot(alpha, alpha) / len(signal)
    assert held == pytest.approx(MOST_WAVES * wanted[:, 2].mean(), rel=0.15)


def test_the_edge_of_an_epoch_leaves_no_mark() -> None:
    silent = np.zeros(400 * SAMPLES, dtype=np.float32)
    steps = np.abs(np.diff(synthesise(some_powers(400), silent, np.random.default_rng(1))))
    at_edges = steps[SAMPLES - 1 :: SAMPLES]
    assert np.median(at_edges) == pytest.approx(np.median(steps), rel=0.15)
    assert at_edges.mean() == pytest.approx(steps.mean(), rel=0.15)


def test_noise_leaks_little_into_other_bands() -> None:
    matrix = leakage()
    inner = matrix[1:-1, 1:-1]
    assert (np.diag(inner) > 0.95).all()
    assert (matrix - np.diag(np.diag(matrix)) < 0.05).all()
