"""Waveforms stand where experts look for them, seeded by person, night and kind."""

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from sleepsweep.data.simulation.events import draw_events
from sleepsweep.data.simulation.layout import SAMPLES, SFREQ
from sleepsweep.data.simulation.waveforms import KINDS


def power(stage: int, channel: int, low_hz: float, high_hz: float) -> float:
    """Mean power of 8 people's waveforms in a night of one stage."""
    sections = butter(4, (low_hz, high_hz), "bandpass", fs=SFREQ, output="sos")
    stages = np.full(60, stage, dtype=np.int8)
    nights = [draw_events(stages, 0, subject, 1)[channel] for subject in range(8)]
    return float(np.mean([np.square(sosfiltfilt(sections, night)).mean() for night in nights]))


def test_shape_and_seeds() -> None:
    stages = np.repeat(np.arange(5, dtype=np.int8), 10)
    one = draw_events(stages, 0, 0, 1)
    assert one.shape == (3, 50 * SAMPLES)
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, draw_events(stages, 0, 0, 1))
    for other in [(1, 0, 1), (0, 1, 1), (0, 0, 2)]:
        assert not np.array_equal(one, draw_events(stages, *other))


def test_spindles_are_in_n2_and_over_the_vertex() -> None:
    assert power(2, 0, 11, 16) > 3 * power(1, 0, 11, 16)
    assert power(2, 0, 11, 16) > 3 * power(4, 0, 11, 16)
    assert power(2, 0, 11, 16) > 2 * power(2, 1, 11, 16)


def test_slow_waves_are_in_n3() -> None:
    assert power(3, 0, 0.5, 2) > 3 * power(2, 0, 0.5, 2)


def test_alpha_is_awake_and_over_the_occiput() -> None:
    assert power(0, 1, 8, 12) > 5 * power(2, 1, 8, 12)
    assert power(0, 1, 8, 12) > 2 * power(0, 0, 8, 12)


def test_eyes_move_fast_in_rem_and_slowly_in_n1() -> None:
    assert power(4, 2, 1, 5) > 4 * power(1, 2, 1, 5)
    slow_share = [power(stage, 2, 0.1, 0.5) / power(stage, 2, 1, 5) for stage in (1, 4)]
    assert slow_share[0] > 4 * slow_share[1]


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_has_a_peak_of_one_and_ends_where_it_began(name: str) -> None:
    kind = KINDS[name]
    times = np.arange(round(kind.duration_s * SFREQ)) / SFREQ
    wave = kind.shape(times, kind.frequency_hz, np.random.default_rng(0))
    assert wave.shape == times.shape
    assert 0.4 < np.abs(wave).max() < 1.8
    assert abs(wave[0]) < 0.15
    assert abs(wave[-1]) < 0.15
