"""Sleep statistics: against a count by hand, a slow second derivation, and YASA where it is."""

import math
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sleepsweep.predict import sleep_statistics
from sleepsweep.predict.statistics import UNITS
from sleepsweep.predict.wording import LABELS

HYPNOGRAMS = st.lists(st.integers(-1, 4), min_size=1, max_size=60)


def test_a_short_night_counted_by_hand() -> None:
    stages = [0, 0, 1, 2, 0, -1, 3, 4, 4, 2, 0, 0, 0]
    assert sleep_statistics(stages, 60) == {
        "recorded": 13, "sleep_time": 6, "sleep_efficiency": 100 * 6 / 13,
        "sleep_onset_latency": 2, "waso": 1, "rem_latency": 5,
        "minutes.W": 6, "minutes.N1": 1, "minutes.N2": 2, "minutes.N3": 1, "minutes.R": 2,
        "percent.N1": pytest.approx(100 / 6), "percent.N2": pytest.approx(200 / 6),
        "percent.N3": pytest.approx(100 / 6), "percent.R": pytest.approx(200 / 6),
    }  # fmt: skip


def test_a_night_without_sleep_has_no_latency() -> None:
    found = sleep_statistics([0, 0, 0, -1], 30)
    assert found["sleep_time"] == 0
    assert found["sleep_efficiency"] == 0
    assert all(
        math.isnan(found[name])
        for name in ("sleep_onset_latency", "waso", "rem_latency", "percent.N2")
    )


def test_epochs_of_unknown_stage_are_time_but_not_sleep() -> None:
    found = sleep_statistics([0, 2, 2, -1, -1, 2, -1, -1], 30)
    assert (found["recorded"], found["sleep_time"]) == (4, 1.5)
    # As YASA has it: total sleep time by the time in bed, whatever was not scored.
    assert found["sleep_efficiency"] == 100 * 1.5 / 4


def test_a_night_of_which_nothing_is_known_has_no_efficiency() -> None:
    assert math.isnan(sleep_statistics([-1, -1], 30)["sleep_efficiency"])


@given(HYPNOGRAMS, st.sampled_from([20, 30]))
def test_a_walk_through_the_night_gives_the_same(stages: list[int], epoch_s: float) -> None:
    found = sleep_statistics(stages, epoch_s)
    since_start = since_sleep = wake = waso = asleep = 0.0
    onset = rem = None
    for stage in stages:
        if stage > 0:
            onset = since_start if onset is None else onset
            asleep += epoch_s / 60
            waso, wake = waso + wake, 0.0
            if stage == 4 and rem is None:
                rem = since_sleep
        if onset is not None:
            since_sleep += epoch_s / 60
            wake += epoch_s / 60 if stage == 0 else 0
        since_start += epoch_s / 60
    nan = float("nan")
    expected = {
        "recorded": since_start, "sleep_time": asleep,
        "sleep_efficiency": 100 * asleep / since_start if max(stages) >= 0 else nan,
        "sleep_onset_latency": nan if onset is None else onset,
        "waso": nan if onset is None else waso, "rem_latency": nan if rem is None else rem,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, nan_ok=True), name


@given(HYPNOGRAMS)
def test_the_parts_make_up_the_whole(stages: list[int]) -> None:
    found = sleep_statistics(stages, 30)
    parts = [found[f"minutes.{stage}"] for stage in ("N1", "N2", "N3", "R")]
    assert sum(parts) == pytest.approx(found["sleep_time"])
    unknown = sum(len(list(run)) for stage, run in groupby(stages) if stage < 0) / 2
    assert sum(parts) + found["minutes.W"] + unknown == pytest.approx(found["recorded"])
    if found["sleep_time"]:
        assert sum(found[f"percent.{s}"] for s in ("N1", "N2", "N3", "R")) == pytest.approx(100)


def test_every_statistic_has_a_unit_and_a_name() -> None:
    assert list(sleep_statistics([0, 2], 30)) == list(UNITS) == list(LABELS)


# What yasa.Hypnogram(...).sleep_statistics() of YASA 0.8.1 says of these stages.
YASA = {
    "recorded": 450.0, "sleep_time": 354.0, "sleep_efficiency": 78.6667, "waso": 85.5,
    "sleep_onset_latency": 10.0, "minutes.W": 96.0, "minutes.N1": 79.5, "minutes.N2": 89.0,
    "minutes.N3": 90.5, "minutes.R": 95.0, "percent.N1": 22.4576, "percent.N2": 25.1412,
    "percent.N3": 25.565, "percent.R": 26.8362,
}  # fmt: skip
YASA_REM_SINCE_START = 10.5


def test_yasa_says_the_same() -> None:
    stages = np.random.default_rng(0).integers(0, 5, 900)
    stages[:20] = 0
    found = sleep_statistics(stages, 30)
    assert {name: round(found[name], 4) for name in YASA} == YASA
    # YASA counts the latency of REM from the start, and not from sleep onset.
    assert found["rem_latency"] + found["sleep_onset_latency"] == YASA_REM_SINCE_START
