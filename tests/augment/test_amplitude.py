"""Amplitude, epoch by epoch from the definitions."""

import numpy as np

from sleepsweep.augment import RandomAmplitudeScaling, RandomDCShift, Signal, SignFlip
from sleepsweep.augment.draws import uniform


def test_scaling_multiplies_each_epoch_by_its_gain(epochs, seeded):
    x = epochs()
    got = RandomAmplitudeScaling()(x, seeded(3)).numpy()
    gains = uniform(x, 0.5, 2.0, seeded(3)).numpy()
    for epoch, result, (gain,) in zip(x.numpy(), got, gains, strict=True):
        np.testing.assert_allclose(result, epoch * gain)


def test_shift_adds_an_offset_in_microvolts(epochs, seeded):
    x = epochs() * 1e-6  # volts
    shift = RandomDCShift().in_signal(Signal(uv_per_unit=1e6))
    got = shift(x, seeded(3)).numpy()
    offsets_uv = uniform(x, -10.0, 10.0, seeded(3)).numpy()
    for epoch, result, (offset_uv,) in zip(x.numpy(), got, offsets_uv, strict=True):
        np.testing.assert_allclose(result, epoch + offset_uv / 1e6)


def test_flip_negates(epochs, seeded):
    x = epochs()
    np.testing.assert_array_equal(SignFlip()(x, seeded(0)).numpy(), -x.numpy())
