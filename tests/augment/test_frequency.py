"""Frequency, epoch by epoch from the definitions: scipy's notch, and full complex spectra."""

import numpy as np
import pytest
import torch
from scipy.signal import iirnotch, lfilter

from sleepsweep.augment import RandomBandStopFilter, Signal, TailoredMixup
from sleepsweep.augment.draws import uniform
from sleepsweep.augment.frequency import mix_spectra, notch
from sleepsweep.errors import UserError


def by_scipy(x, centres_hz, width_hz, sfreq):
    """Filter epoch by epoch with scipy."""
    results = []
    for epoch, centre_hz in zip(x.double().numpy(), centres_hz.numpy()[:, 0], strict=True):
        b, a = iirnotch(centre_hz, centre_hz / width_hz, sfreq)
        results.append(lfilter(b, a, epoch))
    return np.stack(results)


def relative_error(got, want):
    return np.abs(got.double().numpy() - want).max() / np.abs(want).max()


@pytest.mark.parametrize("length", [3000, 3001, 37, 2, 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_band_stop_is_the_notch_of_scipy(epochs, seeded, length, dtype):
    x = epochs(6, 2, length, dtype)
    got = RandomBandStopFilter()(x, seeded(4))
    want = by_scipy(x, uniform(x, 0.5, 28.0, seeded(4)) + 1.0, 2.0, 100.0)
    assert relative_error(got, want) < (1e-5 if dtype == torch.float32 else 1e-11)


@pytest.mark.parametrize("width_hz", [1e-12, 1e-6, 1e-3, 0.05, 8.0, 20.0, 25.0, 40.0])
def test_notch_holds_at_any_width(epochs, width_hz):
    # Real poles, double poles, poles that never die in the epoch, centres on and off the grid.
    centres_hz = torch.tensor([0.02, 0.5, 1 / 3, 5.0, 12.0, 12.34, 25.0, 49.0]).double()[:, None]
    x = epochs(len(centres_hz), 1, 3000)
    got = notch(x, centres_hz, width_hz, 100.0)
    assert relative_error(got, by_scipy(x, centres_hz, width_hz, 100.0)) < 1e-6


def test_a_vanishing_width_changes_nothing(epochs, seeded):
    x = epochs(4, 1, 3000)
    got = RandomBandStopFilter.at_severity(1e-6)(x, seeded(0))
    torch.testing.assert_close(got, x, rtol=0, atol=1e-5)


def test_band_stop_uses_the_sampling_frequency(epochs, seeded):
    x = epochs(4, 1, 3000)
    got = RandomBandStopFilter().in_signal(Signal(sfreq=128.0))(x, seeded(1))
    want = by_scipy(x, uniform(x, 0.5, 28.0, seeded(1)) + 1.0, 2.0, 128.0)
    assert relative_error(got, want) < 1e-10


def test_a_band_beyond_nyquist_is_the_users_error():
    with pytest.raises(UserError, match=r"30 Hz.*below half the sampling frequency, 30 Hz"):
        RandomBandStopFilter().in_signal(Signal(sfreq=60.0))
    with pytest.raises(UserError, match="low_hz = 30 is above high_hz = 28"):
        RandomBandStopFilter(low_hz=30.0)


@pytest.mark.parametrize("length", [300, 301, 3, 2, 1])
def test_mixup_is_the_mix_of_full_spectra(epochs, seeded, length):
    x, partner = epochs(6, 2, length), epochs(6, 2, length, seed=1)
    got = TailoredMixup()(x, seeded(5), partner).numpy()
    generator = seeded(5)
    for_magnitude = uniform(x, 0.5, 1.0, generator).numpy()
    for_phase = uniform(x, 0.5, 1.0, generator).numpy()
    for row in range(len(x)):
        own, other = np.fft.fft(x[row].numpy()), np.fft.fft(partner[row].numpy())
        difference = np.angle(own) - np.angle(other)
        wrapped = np.angle(np.exp(1j * difference))
        phase = np.angle(own) - (1 - for_phase[row]) * wrapped
        share = for_magnitude[row]
        magnitude = share * np.abs(own) + (1 - share) * np.abs(other)
        want = np.real(np.fft.ifft(magnitude * np.exp(1j * phase)))
        np.testing.assert_allclose(got[row], want, atol=1e-9)


def test_mixing_with_itself_changes_nothing(epochs, seeded):
    x = epochs(4, 2, 301)
    torch.testing.assert_close(TailoredMixup.at_severity(1.0)(x, seeded(0), x), x)


def test_mixing_with_no_weight_of_its_own_returns_the_partner(epochs):
    x, partner = epochs(3, 1, 300), epochs(3, 1, 300, seed=1)
    none = torch.zeros(3, 1, 1, dtype=x.dtype)
    torch.testing.assert_close(mix_spectra(x, partner, none, none), partner)
