"""What is drawn has the distribution of the definition, at fixed seeds."""

import numpy as np
import pytest
import torch
from scipy import stats

from sleepsweep.augment import (
    AverageFiltering,
    ChannelsDropout,
    CutoutResize,
    FrequencyShift,
    FTSurrogate,
    RandomAdditiveGaussianNoise,
    RandomAmplitudeScaling,
    RandomBandStopFilter,
    RandomDCShift,
    RandomTimeShift,
    RandomZeroMasking,
    SmoothTimeMask,
    TailoredMixup,
    TimeWarping,
)
from sleepsweep.augment.draws import beta, normal, uniform, unit, whole

MANY = 4000
IMPULSE = torch.nn.functional.one_hot(torch.tensor(1000), 2001).double()


def fits(values, distribution) -> bool:
    """Kolmogorov and Smirnov do not see a difference in some thousand draws."""
    return bool(stats.kstest(np.asarray(values), distribution).pvalue > 0.01)


def spread_out(whole_numbers, seeded) -> torch.Tensor:
    """Whole numbers as the parts of the line they stand for: the test is one of continuous laws."""
    return whole_numbers + torch.rand(len(whole_numbers), generator=seeded(99))


def constant(length: int = 4) -> torch.Tensor:
    return torch.ones(MANY, 1, length, dtype=torch.float64)


def test_each_kind_of_draw(seeded):
    x = constant()
    assert fits(uniform(x, 2, 5, seeded(0))[:, 0], stats.uniform(2, 3).cdf)
    assert fits(unit(x, 3, seeded(1)).flatten(), stats.uniform().cdf)
    assert fits(normal(x, 3, seeded(2)).flatten(), stats.norm().cdf)
    drawn = whole(x, -3, 6, seeded(3))[:, 0]
    assert (drawn.min(), drawn.max()) == (-3, 6)
    assert fits(spread_out(drawn, seeded), stats.uniform(-3, 10).cdf)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_beta(seeded, alpha):
    assert fits(beta(constant(), alpha, seeded(4))[:, 0], stats.beta(alpha, alpha).cdf)


def test_the_smallest_alpha_draws_numbers(seeded):
    drawn = beta(constant(), 0.05, seeded(4))
    assert drawn.isfinite().all()
    assert drawn.mean() == pytest.approx(0.5, abs=0.03)


def test_gain_and_offset(seeded):
    x = constant()
    assert fits(RandomAmplitudeScaling()(x, seeded(0))[:, 0, 0], stats.uniform(0.5, 1.5).cdf)
    assert fits(RandomDCShift()(x, seeded(1))[:, 0, 0] - 1, stats.uniform(-10, 20).cdf)


def test_sigma(seeded):
    x = torch.zeros(MANY, 1, 500, dtype=torch.float64)
    added = RandomAdditiveGaussianNoise(max_sigma_uv=1.0)(x, seeded(0))[:, 0]
    # σ times the deviation of 500 draws, χ-distributed: divided by draws of that, independent.
    sigma = added.square().mean(-1).sqrt()
    assert fits(sigma, stats.uniform(0, 1).cdf)
    assert fits((added / sigma[:, None])[:, 0], stats.norm().cdf)


def test_shift(seeded):
    x = IMPULSE.expand(MANY, 1, -1)
    shifts = RandomTimeShift()(x, seeded(0))[:, 0].argmax(-1) - 1000
    assert fits(spread_out(shifts, seeded), stats.uniform(-300, 601).cdf)


def test_kernel(seeded):
    x = IMPULSE.expand(MANY, 1, -1)
    kernels = (AverageFiltering()(x, seeded(1))[:, 0] > 0.05).sum(-1)
    assert fits(spread_out(kernels, seeded), stats.uniform(3, 8).cdf)


def test_masked_window(seeded):
    hidden = (RandomZeroMasking()(constant(3000), seeded(0))[:, 0] == 0).long()
    lengths, starts = hidden.sum(-1), hidden.argmax(-1)
    assert fits(spread_out(lengths, seeded), stats.uniform(0, 301).cdf)
    seen = lengths > 0
    places = spread_out(starts[seen], seeded) / (3001 - lengths[seen])
    assert fits(places, stats.uniform().cdf)


def test_masked_share(seeded):
    hidden = RandomZeroMasking(masking_ratio=0.1)(constant(3000), seeded(0))[:, 0] == 0
    assert (hidden.sum(-1) == 300).all()
    starts = hidden.long().argmax(-1)
    assert fits(spread_out(starts, seeded), stats.uniform(0, 2701).cdf)


def test_dropped_segment(seeded):
    ramp = torch.arange(400, dtype=torch.float64).expand(MANY, 1, -1)
    result = CutoutResize()(ramp, seeded(0))[:, 0]
    quarters = torch.stack([((result > q * 100 + 1) & (result < q * 100 + 98)).sum(-1)
                            for q in range(4)]).argmin(0)  # fmt: skip
    assert fits(spread_out(quarters, seeded), stats.uniform(0, 4).cdf)


def test_centre_of_the_smooth_mask(seeded):
    mask = SmoothTimeMask()(constant(3000), seeded(0))[:, 0]
    time = torch.arange(3000, dtype=torch.float64)
    centres = ((1 - mask) * time).sum(-1) / (1 - mask).sum(-1)
    # Within 20 samples of its ends a mask is cut, which moves its centre of mass.
    inside = (centres > 75) & (centres < 2925)
    assert fits(centres[inside], stats.uniform(75, 2850).cdf)
    assert abs(float(inside.double().mean()) - 2850 / 2900) < 0.01


def test_centre_of_the_stopped_band(seeded):
    x = IMPULSE[1000:].expand(MANY, 1, -1)
    # A narrow notch leaves the impulse but for a ringing of its own frequency.
    ringing = RandomBandStopFilter(width_hz=0.5)(x, seeded(0))[:, 0] - x[:, 0]
    centres_hz = torch.fft.rfft(ringing, n=16_000).abs().argmax(-1) * (100 / 16_000)
    assert fits(centres_hz, stats.uniform(0.75, 27.5).cdf)


def test_shift_of_frequency(seeded):
    time_s = torch.arange(3000, dtype=torch.float64) / 100
    wave = torch.sin(2 * torch.pi * 10 * time_s).expand(MANY // 4, 1, -1)
    shifted = FrequencyShift()(wave, seeded(0))[:, 0] * torch.hann_window(3000)
    shifts_hz = torch.fft.rfft(shifted, n=48_000).abs().argmax(-1) * (100 / 48_000) - 10
    assert fits(shifts_hz, stats.uniform(-2, 4).cdf)


def test_phases(seeded):
    x = IMPULSE[1000:1100].expand(200, 1, -1)
    for noise in (0.5, 1.0):
        angles = torch.fft.rfft(FTSurrogate(noise)(x, seeded(0)))[:, 0, 1:-1].angle().flatten()
        assert fits(angles, stats.uniform(-noise * np.pi, 2 * noise * np.pi).cdf)


@pytest.mark.parametrize(
    ("mixup", "law"),
    [
        (TailoredMixup(), stats.uniform(0.5, 0.5)),
        (TailoredMixup(min_lambda=0.2), stats.uniform(0.2, 0.8)),
        (TailoredMixup(alpha=0.5, wrap_phase=False), stats.beta(0.5, 0.5)),
    ],
)
def test_lambda(seeded, mixup, law):
    # Of two cosines, one of them three times as large and a quarter of a turn ahead.
    time = torch.arange(100, dtype=torch.float64) / 100
    x = torch.cos(2 * torch.pi * 10 * time).expand(MANY, 1, -1)
    partner = 3 * torch.cos(2 * torch.pi * 10 * time + torch.pi / 2).expand(MANY, 1, -1)
    mixed = torch.fft.rfft(mixup(x, seeded(0), partner))[:, 0, 10] / 50
    for_magnitude, for_phase = (3 - mixed.abs()) / 2, 1 - mixed.angle() / (torch.pi / 2)
    assert fits(for_magnitude.clamp(0, 1), law.cdf)
    assert fits(for_phase.clamp(0, 1), law.cdf)
    assert abs(stats.spearmanr(for_magnitude, for_phase).statistic) < 0.05


def test_stretch(seeded):
    # The slopes of a warped ramp are the paces, those of equal segments: ω up to their mean.
    ramp = torch.arange(3000, dtype=torch.float64).expand(MANY // 4, 1, -1)
    warped = TimeWarping(n_segments=2)(ramp, seeded(0))[:, 0]
    first, last = 1 / (warped[:, 1] - warped[:, 0]), 1 / (warped[:, -1] - warped[:, -2])
    ratio = (first / last).log()
    reference = np.random.default_rng(0).uniform(0.5, 2, (2, 200_000))
    assert stats.ks_2samp(ratio, np.log(reference[0] / reference[1])).pvalue > 0.01


def test_dropped_channels(seeded):
    x = torch.ones(MANY, 2, 3)
    dropped = (ChannelsDropout(p_drop=0.3)(x, seeded(0))[..., 0] == 0).sum(-1)
    counts = torch.bincount(dropped, minlength=3).numpy()
    expected = MANY * stats.binom(2, 0.3).pmf([0, 1, 2])
    assert stats.chisquare(counts, expected).pvalue > 0.01
