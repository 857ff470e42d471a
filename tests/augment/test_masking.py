"""Masking, epoch by epoch from the definitions."""

import numpy as np
import pytest
import torch
from scipy.special import expit

from sleepsweep.augment import ChannelsDropout, CutoutResize, RandomZeroMasking, SmoothTimeMask
from sleepsweep.augment.draws import unit, whole
from sleepsweep.augment.masking import cut_and_resize
from sleepsweep.errors import UserError


def dropped_and_resized(epoch, start, dropped):
    """Drop samples of one channel and interpolate what is left, ends aligned."""
    kept = np.delete(epoch, slice(start, start + dropped))
    return np.interp(np.linspace(0, len(kept) - 1, len(epoch)), np.arange(len(kept)), kept)


@pytest.mark.parametrize(
    ("share", "slots", "length"), [(0.25, 4, 3000), (0.25, 4, 301), (0.3, 3, 100), (0.5, 2, 99)]
)
def test_cutout_drops_one_slot_and_resizes(epochs, seeded, share, slots, length):
    x = epochs(8, 2, length)
    got = CutoutResize(drop_share=share)(x, seeded(2)).numpy()
    drawn = whole(x, 0, slots - 1, seeded(2)).numpy()[:, 0]
    dropped = round(share * length)
    for epoch, result, slot in zip(x.numpy(), got, drawn, strict=True):
        start = min(slot * dropped, length - dropped)
        want = [dropped_and_resized(channel, start, dropped) for channel in epoch]
        np.testing.assert_allclose(result, want, atol=1e-10)


def test_the_published_cutout_drops_each_quarter_as_often(epochs, seeded):
    # On a ramp, the values of the dropped quarter are missing (but for those across the joint).
    ramp = torch.arange(400, dtype=torch.float64).expand(800, 1, -1)
    result = CutoutResize()(ramp, seeded(0))
    quarters = torch.stack([(result >= low) & (result < low + 99) for low in (0, 100, 200, 300)])
    counts = (quarters.sum(-1)[..., 0] < 5).sum(1)
    assert counts.sum() == 800
    assert counts.min() > 150


@pytest.mark.parametrize("share", [1 / 5, 1 / 3, 0.1, CutoutResize.at_severity(0.4).drop_share])
def test_a_share_of_one_nth_has_n_slots(epochs, seeded, share):
    x = epochs(400, 1, 60)
    results = {
        tuple(epoch[0].tolist()) for epoch in CutoutResize(share)(x[:1].expand_as(x), seeded(1))
    }
    assert len(results) == round(1 / share)


def test_cutting_nothing_changes_nothing(epochs):
    x = epochs()
    start = torch.zeros(len(x), 1, dtype=torch.int64)
    torch.testing.assert_close(cut_and_resize(x, start, 0), x)


@pytest.mark.parametrize(("max_samples", "length"), [(300, 3000), (300, 301), (300, 40), (7, 1)])
def test_zero_masking_zeroes_one_window(epochs, seeded, max_samples, length):
    x = epochs(8, 2, length)
    got = RandomZeroMasking(max_samples=max_samples)(x, seeded(6)).numpy()
    generator = seeded(6)
    windows = whole(x, 0, min(max_samples, length), generator).numpy()[:, 0]
    places = unit(x, 1, generator).numpy()[:, 0]
    for epoch, result, window, place in zip(x.numpy(), got, windows, places, strict=True):
        start = int(place * (length - window + 1))
        want = epoch.copy()
        want[:, start : start + window] = 0
        np.testing.assert_array_equal(result, want)


def test_windows_have_every_length_and_reach_both_ends(seeded):
    ones = torch.ones(4000, 1, 20)
    hidden = RandomZeroMasking(max_samples=5)(ones, seeded(0))[:, 0] == 0
    lengths = torch.bincount(hidden.sum(1), minlength=6)
    assert lengths.min() > 550
    assert len(lengths) == 6
    alone = hidden[hidden.sum(1) == 1].sum(0)
    assert alone.min() > 10  # windows of one sample: each of the 20 places, some 33 times


@pytest.mark.parametrize(("ratio", "length"), [(0.1, 3000), (0.1, 301), (1.0, 40), (0.5, 1)])
def test_a_masking_ratio_hides_as_much_of_every_epoch(epochs, seeded, ratio, length):
    x = epochs(8, 2, length)
    got = RandomZeroMasking(masking_ratio=ratio)(x, seeded(6)).numpy()
    generator = seeded(6)
    window = round(ratio * length)
    whole(x, window, window, generator)
    places = unit(x, 1, generator).numpy()[:, 0]
    for epoch, result, place in zip(x.numpy(), got, places, strict=True):
        start = int(place * (length - window + 1))
        want = epoch.copy()
        want[:, start : start + window] = 0
        np.testing.assert_array_equal(result, want)
        assert (result[0] == 0).sum() == window


def test_masking_nothing_is_the_identity(epochs, seeded):
    x = epochs()
    assert torch.equal(RandomZeroMasking(masking_ratio=0.0)(x, seeded(0)), x)


@pytest.mark.parametrize(("samples", "length"), [(100, 3000), (100, 301), (40, 12), (1, 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_smooth_mask_fades_out_and_in(epochs, seeded, samples, length, dtype):
    x = epochs(8, 2, length, dtype)
    got = SmoothTimeMask(mask_samples=samples)(x, seeded(3)).double().numpy()
    window = min(samples, length)
    starts = unit(x, 1, seeded(3)).numpy()[:, 0] * (length - window)
    slope, time = 1000 / length, np.arange(length)
    for epoch, result, start in zip(x.double().numpy(), got, starts, strict=True):
        mask = expit(-slope * (time - start)) + expit(slope * (time - start - window))
        tolerance = 1e-5 if dtype == torch.float32 else 1e-12
        np.testing.assert_allclose(result, epoch * mask, rtol=tolerance, atol=tolerance)


def test_the_middle_of_a_smooth_mask_is_silent(seeded):
    ones = torch.ones(50, 1, 3000)
    masked = SmoothTimeMask()(ones, seeded(0))[:, 0]
    assert masked.min(-1).values.max() < 1e-6
    assert ((masked < 0.5).sum(-1) - 100).abs().max() <= 1


def test_each_channel_is_dropped_by_itself(epochs, seeded):
    x = epochs(4000, 3, 5)
    got = ChannelsDropout()(x, seeded(1))
    dropped = unit(x, 3, seeded(1)).numpy() < 0.2
    for epoch, result, gone in zip(x.numpy(), got.numpy(), dropped, strict=True):
        np.testing.assert_array_equal(result, epoch * ~gone[:, None])
    share = torch.from_numpy(dropped).double()
    assert (share.mean(0) - 0.2).abs().max() < 0.03
    assert torch.corrcoef(share.T).triu(1).abs().max() < 0.06


def test_dropping_the_only_channel_is_the_users_error(epochs, seeded):
    with pytest.raises(UserError, match=r"ChannelsDropout needs at least 2 channels; .*have 1"):
        ChannelsDropout()(epochs(4, 1), seeded(0))
