import numpy as np
import pytest

from sleepsweep.learn.bandpowers import BANDS, log_band_powers

SFREQ = 100.0
TIME = np.arange(3000) / SFREQ


@pytest.mark.parametrize("band", range(len(BANDS)))
def test_a_sine_has_its_power_in_its_band(band: int) -> None:
    low, high = BANDS[band]
    sine = 3 * np.sin(2 * np.pi * (low + high) / 2 * TIME)
    powers = 10.0 ** log_band_powers(sine[None, None].astype(np.float32), SFREQ)[0]
    assert powers[band] == pytest.approx(3**2 / 2, rel=0.02)  # the mean square of a sine
    assert np.delete(powers, band).max() < 0.01 * powers[band]


def test_the_bands_of_noise_add_up_to_its_power_between_their_ends() -> None:
    noise = np.random.default_rng(0).normal(size=(4, 2, 3000)).astype(np.float32)
    powers = 10.0 ** log_band_powers(noise, SFREQ)
    assert powers.shape == (4, 10)
    share = (30 - 0.5) / (SFREQ / 2)
    assert powers.reshape(4, 5, 2).sum(axis=1) == pytest.approx(share, rel=0.15)


def test_silence_and_a_band_beyond_the_recording_are_finite() -> None:
    assert np.isfinite(log_band_powers(np.zeros((2, 1, 600), np.float32), 20.0)).all()
