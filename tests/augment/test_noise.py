"""Noise, epoch by epoch from the definitions."""

import numpy as np
import pytest
import torch

from sleepsweep.augment import AverageFiltering, RandomAdditiveGaussianNoise, Signal
from sleepsweep.augment.draws import uniform, whole
from sleepsweep.augment.noise import moving_average


def convolved(epoch, kernel):
    weights = np.ones(kernel) / kernel
    return np.stack([np.convolve(channel, weights, mode="same") for channel in epoch])


@pytest.mark.parametrize(("smallest", "largest"), [(3, 10), (2, 2)])
def test_average_is_a_convolution(epochs, seeded, smallest, largest):
    x = epochs(12, 2, 301)
    got = AverageFiltering(max_kernel=largest)(x, seeded(7)).numpy()
    kernels = whole(x, smallest, largest, seeded(7)).numpy()[:, 0]
    for epoch, result, kernel in zip(x.numpy(), got, kernels, strict=True):
        np.testing.assert_allclose(result, convolved(epoch, kernel), atol=1e-10)


@pytest.mark.parametrize("length", [30, 31, 7, 2, 1])
def test_kernels_up_to_the_length(epochs, length):
    x = epochs(length, 2, length)
    kernels = torch.arange(1, length + 1)[:, None]
    got = moving_average(x, kernels, length).numpy()
    for epoch, result, kernel in zip(x.numpy(), got, kernels[:, 0].tolist(), strict=True):
        np.testing.assert_allclose(result, convolved(epoch, kernel), atol=1e-10)


def test_float32_keeps_its_digits_on_a_large_offset(epochs):
    x = epochs(8, 1, 3000, torch.float32) + 1e4
    kernels = torch.arange(3, 11)[:, None]
    got = moving_average(x, kernels, 10).double().numpy()
    for epoch, result, kernel in zip(x.double().numpy(), got, range(3, 11), strict=True):
        np.testing.assert_allclose(result, convolved(epoch, kernel), rtol=1e-6)


def test_gaussian_noise_has_the_drawn_deviation_in_microvolts(epochs, seeded):
    x = epochs(6, 2, 4000) / 1000  # millivolts
    noise = RandomAdditiveGaussianNoise(max_sigma_uv=20.0).in_signal(Signal(uv_per_unit=1000.0))
    added_uv = (noise(x, seeded(8)) - x).numpy() * 1000
    generator = seeded(8)
    sigmas_uv = uniform(x, 0.0, 20.0, generator).numpy()[:, 0]
    white = torch.randn(x.shape, generator=generator, dtype=x.dtype).numpy()
    for added, sigma_uv, draws in zip(added_uv, sigmas_uv, white, strict=True):
        np.testing.assert_allclose(added, sigma_uv * draws, atol=1e-9)
        np.testing.assert_allclose(added.std(), sigma_uv, rtol=0.05)


@pytest.mark.parametrize("signal", [Signal(uv_per_unit=1000.0, units_per_sd=0.05)])
@pytest.mark.parametrize(
    ("noise", "sigma_uv"),
    [
        (RandomAdditiveGaussianNoise(scale_uv=5.0), 5.0),
        (RandomAdditiveGaussianNoise(scale_sd=0.1), 5.0),  # of 0.05 mV = 50 µV
        (RandomAdditiveGaussianNoise(scale_sd=0.0), 0.0),
    ],
)
def test_a_scale_is_the_deviation_of_every_epoch(epochs, seeded, signal, noise, sigma_uv):
    x = epochs(6, 2, 4000) / 1000  # millivolts
    added_uv = (noise.in_signal(signal)(x, seeded(8)) - x).numpy() * 1000
    white = torch.randn(x.shape, generator=seeded(8), dtype=x.dtype).numpy()
    for added, draws in zip(added_uv, white, strict=True):
        np.testing.assert_allclose(added, sigma_uv * draws, atol=1e-9)


def test_the_largest_deviation_may_be_given_in_sds(epochs, seeded):
    x, signal = epochs() / 1000, Signal(uv_per_unit=1000.0, units_per_sd=0.05)
    in_uv, in_sd = (
        RandomAdditiveGaussianNoise(**given).in_signal(signal)(x, seeded(1))
        for given in ({"max_sigma_uv": 5.0}, {"max_sigma_sd": 0.1})
    )
    torch.testing.assert_close(in_uv, in_sd)
