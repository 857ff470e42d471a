"""Traces and spectra as the page holds them."""

import base64

import numpy as np
import pytest

from sleepsweep.augmentpage.packing import MOST_POINTS, packed, spectrum, thinned


def test_what_is_packed_comes_out_to_within_half_a_step() -> None:
    numbers = np.random.default_rng(0).normal(size=1000) * 80
    made = packed(numbers)
    whole = np.frombuffer(base64.b64decode(made["data"]), "<i2")
    np.testing.assert_allclose(whole * made["step"], numbers, atol=made["step"] * 0.501)
    assert made["step"] < 0.02


def test_silence_is_packed() -> None:
    assert not any(base64.b64decode(packed(np.zeros(5))["data"]))


def test_a_long_trace_keeps_its_extremes() -> None:
    trace = np.zeros(20_001, dtype=np.float32)
    trace[7777], trace[12_345] = 50, -70
    made = thinned(trace)
    assert len(made) == MOST_POINTS
    assert (made.max(), made.min()) == (50, -70)
    short = trace[:MOST_POINTS]
    assert thinned(short) is short


def test_a_wave_is_where_it_is_and_as_strong_as_it_is() -> None:
    time_s = np.arange(3000) / 100
    density = spectrum((20 * np.sin(2 * np.pi * 10 * time_s)).astype(np.float32), 100.0)
    assert np.argmax(density) == 40  # of 1/4 Hz
    assert (10 ** (density / 10)).sum() / 4 == pytest.approx(200, rel=0.01)  # µV²
    assert spectrum(np.zeros(3000, np.float32), 100.0).max() == -60
