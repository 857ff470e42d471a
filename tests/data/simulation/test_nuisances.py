"""What recording adds is drawn by recording, and leaves the bands of sleep nearly alone."""

import numpy as np

from sleepsweep.data.simulation import nuisances
from sleepsweep.data.simulation.layout import SAMPLES
from sleepsweep.data.simulation.nuisances import disturbed
from sleepsweep.data.simulation.spectrum import band_powers


def white(epochs: int, sd: float = 20.0) -> np.ndarray:
    generator = np.random.default_rng(7)
    return (sd * generator.standard_normal(epochs * SAMPLES)).astype(np.float32)


def test_gain_and_polarity() -> None:
    signal = white(20)
    gains = []
    for seed in range(300):
        found = disturbed(signal, np.random.default_rng(seed))
        gains.append(np.dot(found, signal) / np.dot(signal, signal))
    reversed_share = np.mean(np.array(gains) < 0)
    assert 0.5 * nuisances.REVERSED < reversed_share < 2 * nuisances.REVERSED
    assert 0.7 < np.std(np.log(np.abs(gains))) / nuisances.GAIN_SD < 1.3


def test_the_signal_itself_is_not_touched() -> None:
    signal = white(4)
    before = signal.copy()
    found = disturbed(signal, np.random.default_rng(0))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(signal, before)


def test_powers_change_by_the_gain_and_by_little_else() -> None:
    signal = white(200)
    ratios = []
    for seed in range(5):
        found = disturbed(signal, np.random.default_rng(seed))
        change = np.median(band_powers(found) / band_powers(signal), axis=0)
        ratios.append(change / change[2])
    assert np.abs(np.log(ratios)).max() < 0.1


def test_pops_swing_further_than_brain_waves() -> None:
    signal = white(900, sd=10.0)
    peaks = [np.abs(disturbed(signal, np.random.default_rng(seed))).max() for seed in range(10)]
    assert np.median(peaks) > 150
