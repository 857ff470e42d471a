"""What may be done to a recording before anybody learns from it."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import resample_poly

from sleepsweep.data.recording import (
    Recording,
    crop_wake,
    drop_unusable,
    normalised,
    prepared,
    resampled,
)
from sleepsweep.errors import UserError

Maker = Callable[..., Recording]


def noise(count: int, samples: int = 300, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, samples))


def test_each_bad_epoch_is_dropped_under_its_first_reason(make_recording: Maker) -> None:
    epochs = noise(40)
    epochs[1, 5] = np.nan
    epochs[2, 7] = np.inf
    epochs[3] = 0.7  # constant
    epochs[4] *= 1e-4  # varies, but carries no signal
    epochs[5, 0] = 60.0
    epochs[6] = np.nan  # and unscored: counted as unscored
    stages = np.ones(40)
    stages[[0, 6]] = -1
    clean, dropped = drop_unusable(make_recording(epochs, stages))
    assert dropped.by_reason() == {
        "wake": 0, "unscored": 2, "not_finite": 2, "flat": 2, "out_of_range": 1,
    }  # fmt: skip
    assert clean.positions.tolist() == list(range(7, 40))


def test_constant_epochs_do_not_set_the_scale(make_recording: Maker) -> None:
    epochs = np.full((50, 300), 3.0)
    epochs[:10] = noise(10)
    _, dropped = drop_unusable(make_recording(epochs))
    assert (dropped.flat, dropped.out_of_range) == (40, 0)


def test_a_clipped_signal_with_no_median_deviation_is_kept(make_recording: Maker) -> None:
    epochs = np.where(noise(20) > 1.5, 1.0, 0.0)  # more than half the samples are equal
    clean, _ = drop_unusable(make_recording(epochs))
    assert len(clean.epochs) == 20
    assert np.isfinite(normalised(clean, "robust")[0].epochs).all()


def test_wake_is_cropped_by_position_not_by_row(make_recording: Maker) -> None:
    stages = [0, 0, 0, 0, 2, 0, 2, 0, 0, 0]
    positions = [0, 1, 8, 9, 10, 11, 12, 13, 20, 21]  # epochs of 3 s
    cropped = crop_wake(make_recording(noise(10), stages, positions), wake_crop_min=0.1)
    assert cropped.positions.tolist() == [8, 9, 10, 11, 12, 13]


def test_without_sleep_everything_is_kept(make_recording: Maker) -> None:
    recording = make_recording(noise(9), stages=np.zeros(9))
    assert len(crop_wake(recording, 0).epochs) == 9


def test_contiguous_epochs_are_resampled_as_one_signal(make_recording: Maker) -> None:
    time_s = np.arange(12 * 384) / 128
    wave = np.sin(2 * np.pi * 3.3 * time_s).reshape(12, 384)
    found = resampled(make_recording(wave, sfreq=128.0), 100.0)
    assert found.epochs.shape == (12, 1, 300)
    assert found.sfreq == 100.0
    expected = np.sin(2 * np.pi * 3.3 * np.arange(3600) / 100)
    error = np.abs(found.epochs.ravel() - expected)
    # Only the ends of the whole run may differ; inner edges of epochs are like any other sample.
    assert error[100:-100].max() < 2e-3


def test_runs_are_not_filtered_across_gaps(make_recording: Maker) -> None:
    epochs = noise(6, 384)
    epochs[3:] += 40.0
    found = resampled(make_recording(epochs, positions=[0, 1, 2, 7, 8, 9], sfreq=128.0), 100.0)
    alone = resample_poly(epochs[:3].ravel(), 25, 32, padtype="line")
    np.testing.assert_allclose(found.epochs[:3].ravel(), alone, atol=1e-4)


def test_a_rate_without_whole_samples_is_refused(make_recording: Maker) -> None:
    with pytest.raises(ValueError, match="whole number of samples"):
        resampled(make_recording(noise(2, 100), sfreq=100.0), 33.3)


def test_robust_normalisation_is_the_median_and_its_deviation(make_recording: Maker) -> None:
    raw = noise(30) * 7 + 4
    found, centre, scale = normalised(make_recording(raw), "robust")
    expected = 1.4826 * np.median(np.abs(raw - np.median(raw)))
    assert centre[0] == pytest.approx(np.median(raw), abs=1e-5)
    assert scale[0] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(found.epochs[:, 0], (raw - centre) / scale, atol=1e-5)


def test_zscore_and_none(make_recording: Maker) -> None:
    recording = make_recording(noise(30) * 7 + 4)
    found, _, _ = normalised(recording, "zscore")
    assert found.epochs.mean() == pytest.approx(0, abs=1e-5)
    assert found.epochs.std() == pytest.approx(1, abs=1e-5)
    same, centre, scale = normalised(recording, "none")
    assert same.epochs is recording.epochs
    assert (centre.tolist(), scale.tolist()) == ([0.0], [1.0])


def test_no_usable_epoch_names_the_file_and_the_counts(make_recording: Maker) -> None:
    recording = make_recording(np.zeros((4, 300)), stages=[1, 1, -1, 1], source="night/b.npz")
    with pytest.raises(
        UserError, match=r"night/b\.npz: no usable epoch .* of 4 .*unscored 1.*flat 3"
    ):
        prepared(recording, sfreq=100, normalize="robust", wake_crop_min=None)


def test_cropped_wake_is_counted(make_recording: Maker) -> None:
    stages = [0] * 10 + [2] * 5
    done = prepared(
        make_recording(noise(15), stages), sfreq=100, normalize="robust", wake_crop_min=0.1
    )
    assert done.dropped.wake == 8
    assert done.spread[0] == pytest.approx(1.0, abs=1e-5)


def test_an_epoch_that_is_partly_bad_is_kept_and_marked(make_recording: Maker) -> None:
    epochs = noise(15)
    epochs[3, 100:200] = 0.2  # of three seconds one is flat
    epochs[4, 250] = 30.0  # beyond 10 robust sd, within 50
    done = prepared(make_recording(epochs), sfreq=100, normalize="robust", wake_crop_min=None)
    expected = np.ones(15)
    expected[[3, 4]] = 2 / 3
    np.testing.assert_allclose(done.quality, expected, rtol=1e-6)


def test_arrays_must_agree(make_recording: Maker) -> None:
    with pytest.raises(ValueError, match="shape"):
        make_recording(noise(3), stages=[1, 1])
    with pytest.raises(ValueError, match="2 names"):
        make_recording(noise(3), channels=("a", "b"))
