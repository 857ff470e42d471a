"""Frequency, epoch by epoch from the definitions: scipy's notch, and full complex spectra."""

import numpy as np
import pytest
import torch
from scipy.signal import hilbert, iirnotch, lfilter

from sleepsweep.augment import (
    FrequencyShift,
    FTSurrogate,
    RandomBandStopFilter,
    Signal,
    TailoredMixup,
)
from sleepsweep.augment.draws import beta, uniform, unit
from sleepsweep.augment.notch import notch
from sleepsweep.augment.spectra import mix_spectra
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


def published(x, generator):
    return uniform(x, 0.5, 1.0, generator).numpy()


def of_the_readme(x, generator):
    return beta(x, 0.2, generator).numpy()


def spectrum(epoch):
    """Return the full spectrum; what is real by definition is at phase 0 or π, never at −π."""
    found = np.fft.fft(epoch)
    real = [0] if epoch.shape[-1] % 2 else [0, epoch.shape[-1] // 2]
    found[:, real] = found[:, real].real + 0j
    return found


@pytest.mark.parametrize("length", [300, 301, 3, 2, 1])
@pytest.mark.parametrize(
    ("mixup", "weight"),
    [
        (TailoredMixup(), published),
        (TailoredMixup(wrap_phase=False), published),
        (TailoredMixup(alpha=0.2, wrap_phase=False), of_the_readme),
    ],
)
def test_mixup_is_the_mix_of_full_spectra(epochs, seeded, length, mixup, weight):
    x, partner = epochs(6, 2, length), epochs(6, 2, length, seed=1)
    got = mixup(x, seeded(5), partner).numpy()
    generator = seeded(5)
    for_magnitude, for_phase = weight(x, generator), weight(x, generator)
    for row in range(len(x)):
        own, other = spectrum(x[row].numpy()), spectrum(partner[row].numpy())
        difference = np.angle(own) - np.angle(other)
        if mixup.wrap_phase:
            difference = np.angle(np.exp(1j * difference))
        phase = np.angle(own) - (1 - for_phase[row]) * difference
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


@pytest.mark.parametrize("length", [3000, 301, 3, 2, 1])
@pytest.mark.parametrize("phase_noise", [0.5, 1.0])
def test_surrogate_turns_the_phases_of_the_full_spectrum(epochs, seeded, length, phase_noise):
    x = epochs(6, 2, length)
    got = FTSurrogate(phase_noise)(x, seeded(4)).numpy()
    turns = unit(x, length // 2 + 1, seeded(4)).numpy() - 0.5
    for epoch, result, turn in zip(x.numpy(), got, turns, strict=True):
        angle = np.zeros(length)
        for k in range(1, (length + 1) // 2):  # a frequency and its negative twin
            angle[k] = 2 * np.pi * phase_noise * turn[k]
            angle[-k] = -angle[k]
        want = np.fft.ifft(np.fft.fft(epoch) * np.exp(1j * angle))
        np.testing.assert_allclose(want.imag, 0, atol=1e-9)
        np.testing.assert_allclose(result, want.real, rtol=1e-9, atol=1e-9)


def test_a_surrogate_keeps_the_amplitudes_and_turns_phases_all_the_way_round(epochs, seeded):
    x = epochs(1, 1, 3000).expand(500, 1, -1)
    got = torch.fft.rfft(FTSurrogate(1.0)(x, seeded(0)))[:, 0, 1:-1]
    before = torch.fft.rfft(x)[:, 0, 1:-1]
    torch.testing.assert_close(got.abs(), before.abs())
    assert (got / before).mean().abs() < 0.01


@pytest.mark.parametrize("length", [3000, 3001, 3, 2, 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_frequencies_are_shifted_by_the_analytic_signal(epochs, seeded, length, dtype):
    x = epochs(6, 2, length, dtype)
    shift = FrequencyShift().in_signal(Signal(sfreq=128.0))
    shifts_hz = uniform(x, -2.0, 2.0, seeded(4)).numpy()
    time_s = np.arange(length) / 128.0
    want = np.stack([
        np.real(hilbert(epoch) * np.exp(2j * np.pi * shift_hz * time_s))
        for epoch, shift_hz in zip(x.double().numpy(), shifts_hz, strict=True)
    ])  # fmt: skip
    assert relative_error(shift(x, seeded(4)), want) < (1e-5 if dtype == torch.float32 else 1e-11)


def test_a_wave_comes_out_at_the_shifted_frequency(seeded):
    time_s = torch.arange(3000, dtype=torch.float64) / 100
    wave = torch.sin(2 * torch.pi * 10 * time_s).expand(4, 1, -1)
    shifts_hz = uniform(wave, -2.0, 2.0, seeded(2))[:, 0]
    peaks_hz = torch.fft.rfft(FrequencyShift()(wave, seeded(2))).abs().argmax(-1)[:, 0] / 30
    torch.testing.assert_close(peaks_hz.double(), 10 + shifts_hz, rtol=0, atol=0.02)


@pytest.mark.parametrize("length", [300, 301, 3, 2, 1])
@pytest.mark.parametrize("operation", [TailoredMixup(), FTSurrogate(1.0), FrequencyShift()])
def test_no_inverse_is_handed_what_only_a_cpu_leaves_out(
    epochs, seeded, length, operation, monkeypatch
):
    inverse, spectra = torch.fft.irfft, []

    def recorded(spectrum, n):
        spectra.append(spectrum)
        return inverse(spectrum, n=n)

    monkeypatch.setattr(torch.fft, "irfft", recorded)
    partner = [epochs(6, 2, length, seed=1)] if operation.needs_partner else []
    operation(epochs(6, 2, length), seeded(0), *partner)
    (spectrum,) = spectra
    real = [0] if length % 2 else [0, -1]
    assert not spectrum.imag[..., real].any()
