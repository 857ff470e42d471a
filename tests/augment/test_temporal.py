"""Time, epoch by epoch from the definitions."""

from collections import Counter

import numpy as np
import pytest
import torch
from scipy.integrate import cumulative_simpson
from scipy.interpolate import CubicSpline

from sleepsweep.augment import Permutation, RandomTimeShift, TimeReversal, TimeWarping
from sleepsweep.augment.draws import normal, unit, whole
from sleepsweep.augment.warping import warp, warp_smoothly


def test_reversal_reverses(epochs, seeded):
    x = epochs()
    np.testing.assert_array_equal(TimeReversal()(x, seeded(0)).numpy(), x.numpy()[..., ::-1])


def warped(channel, stretch):
    """Warp one channel through the knots of its map of time."""
    last, segments = len(channel) - 1, len(stretch)
    before = np.linspace(0, last, segments + 1)
    after = np.concatenate([[0.0], np.cumsum(stretch)]) / np.sum(stretch) * last
    time = np.arange(len(channel))
    return np.interp(np.interp(time, after, before), time, channel)


@pytest.mark.parametrize(("segments", "length"), [(4, 3000), (4, 301), (5, 41), (4, 3), (1, 50)])
def test_warping_follows_the_map_of_time(epochs, seeded, segments, length):
    x = epochs(6, 2, length)
    got = TimeWarping(n_segments=segments)(x, seeded(9)).numpy()
    stretches = 0.5 + 1.5 * unit(x, segments, seeded(9)).numpy()
    for epoch, result, stretch in zip(x.numpy(), got, stretches, strict=True):
        want = [warped(channel, stretch) for channel in epoch]
        np.testing.assert_allclose(result, want, atol=1e-8)


def test_equal_stretches_change_nothing(epochs):
    x = epochs(4, 1, 3000, torch.float32)
    torch.testing.assert_close(warp(x, torch.full((4, 4), 1.7, dtype=torch.float64)), x)


def test_a_segment_stretched_twice_as_much_takes_twice_as_long():
    ramp = torch.linspace(0, 1, 301, dtype=torch.float64).expand(1, 1, -1)
    result = warp(ramp, torch.tensor([[2.0, 1.0]], dtype=torch.float64))[0, 0]
    torch.testing.assert_close(result[200].item(), 0.5)


@pytest.mark.parametrize(("segments", "length"), [(4, 3000), (4, 302), (16, 41), (7, 7), (9, 5)])
def test_permutation_joins_the_segments_of_array_split(epochs, seeded, segments, length):
    x = epochs(8, 2, length)
    got = Permutation(n_segments=segments)(x, seeded(10)).numpy()
    orders = unit(x, min(segments, length), seeded(10)).argsort(1).tolist()
    for epoch, result, order in zip(x.numpy(), got, orders, strict=True):
        parts = np.array_split(epoch, len(order), axis=-1)
        np.testing.assert_array_equal(result, np.concatenate([parts[i] for i in order], axis=-1))


def test_every_order_is_as_likely(seeded):
    x = torch.arange(3.0).expand(3000, 1, -1)
    orders = Counter(tuple(row) for row in Permutation(n_segments=3)(x, seeded(0))[:, 0].tolist())
    assert len(orders) == 6
    assert min(orders.values()) > 400


@pytest.mark.parametrize(("max_samples", "length"), [(300, 3000), (300, 301), (40, 12), (3, 1)])
def test_shift_moves_and_fills_with_zero(epochs, seeded, max_samples, length):
    x = epochs(8, 2, length)
    got = RandomTimeShift(max_samples=max_samples)(x, seeded(11)).numpy()
    shifts = whole(x, -max_samples, max_samples, seeded(11)).numpy()[:, 0]
    for epoch, result, samples in zip(x.numpy(), got, shifts, strict=True):
        want = np.zeros_like(epoch)
        for time in range(length):
            if 0 <= time - samples < length:
                want[:, time] = epoch[:, time - samples]
        np.testing.assert_array_equal(result, want)


def test_shifts_reach_both_ends(seeded):
    x = torch.arange(1.0, 11.0).expand(2000, 1, -1)
    result = RandomTimeShift(max_samples=2)(x, seeded(0))[:, 0]
    assert set(result[:, 5].tolist()) == {4.0, 5.0, 6.0, 7.0, 8.0}


def warped_smoothly(channel, pace):
    """Integrate the spline through the pace of one epoch by Simpson's rule, and read there."""
    last, fine = len(channel) - 1, np.linspace(0, 1, 20 * (len(channel) - 1) + 1)
    spline = CubicSpline(np.linspace(0, 1, len(pace)), pace)
    passed = cumulative_simpson(spline(fine), x=fine, initial=0)[::20]
    return np.interp(passed / passed[-1] * last, np.arange(len(channel)), channel)


@pytest.mark.parametrize(("knots", "sigma", "length"), [(5, 0.1, 3000), (8, 0.3, 301), (4, 0.1, 2)])
def test_smooth_warping_integrates_a_spline(epochs, seeded, knots, sigma, length):
    x = epochs(6, 2, length)
    got = TimeWarping(knot_points=knots, sigma=sigma)(x, seeded(9)).numpy()
    paces = np.maximum(1 + sigma * normal(x, knots, seeded(9)).numpy(), 0.1)
    for epoch, result, pace in zip(x.numpy(), got, paces, strict=True):
        want = [warped_smoothly(channel, pace) for channel in epoch]
        np.testing.assert_allclose(result, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize("length", [3000, 1])
def test_an_even_pace_changes_nothing(epochs, length):
    x = epochs(4, 1, length)
    torch.testing.assert_close(warp_smoothly(x, torch.full((4, 5), 1.7, dtype=torch.float64)), x)


def test_the_time_of_any_knots_runs_forwards_in_all():
    # The weight of each knot in the whole time is positive: no draw makes the epoch vanish.
    from sleepsweep.augment.warping import _integrals

    for knots in range(4, 101):
        assert _integrals(2, knots, torch.device("cpu"))[-1].min() > 0
