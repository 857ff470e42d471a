"""Stages over time become a stage for every epoch; what cannot is refused with its place."""

from datetime import datetime, timedelta

import pytest

from sleepsweep.data.edf.hypnogram import MEANINGS, STANDARD_LABELS, hypnogram
from sleepsweep.errors import UserError
from sleepsweep.metrics import STAGES

Spans = list[tuple[float, float, str]]
START = datetime(1989, 4, 24, 16, 13)


def stages_of(spans: Spans, duration_s: float, epoch_s: float = 30.0) -> list[int]:
    return hypnogram(spans, {}, epoch_s, "h.edf").on(epoch_s, duration_s)[1].tolist()


def test_the_labels_of_both_manuals() -> None:
    labels = "Sleep stage W,Sleep stage 1,Sleep stage 2,Sleep stage 3,Sleep stage 4,Sleep stage R"
    spans = [(30.0 * k, 30.0, label) for k, label in enumerate(labels.split(","))]
    assert stages_of(spans, 180) == [0, 1, 2, 3, 3, 4]
    spans = [(30.0 * k, 30.0, label) for k, label in enumerate(["w", "N1", "n2", "N3 ", "rem"])]
    assert stages_of(spans, 150) == [0, 1, 2, 3, 4]
    assert set(STANDARD_LABELS.values()) <= set(MEANINGS)
    assert list(MEANINGS)[:5] == list(STAGES)


def test_movement_and_unscored_time_are_unscored() -> None:
    spans = [(0.0, 60.0, "W"), (60.0, 30.0, "Movement time"), (90.0, 30.0, "Sleep stage ?")]
    assert stages_of(spans, 150) == [0, 0, -1, -1, -1]


def test_time_without_annotation_is_unscored() -> None:
    assert stages_of([(60.0, 30.0, "N2"), (120.0, 30.0, "R")], 180) == [-1, -1, 2, -1, 4, -1]


def test_what_runs_past_the_recording_is_cut_off() -> None:
    assert stages_of([(0.0, 60.0, "N2"), (60.0, 86400.0, "W")], 135) == [2, 2, 0, 0]
    # MNE ends an annotation with the recording, in the middle of an epoch.
    assert stages_of([(0.0, 60.0, "N2"), (60.0, 75.0, "W")], 135) == [2, 2, 0, 0]


@pytest.mark.parametrize("duration_s", [1e10, 1e21, 1e300])
def test_an_absurd_duration_lasts_until_the_end(duration_s: float) -> None:
    assert stages_of([(0.0, 60.0, "N2"), (60.0, duration_s, "W")], 135) == [2, 2, 0, 0]


def test_what_lies_before_the_recording_is_cut_off() -> None:
    assert stages_of([(-60.0, 90.0, "N2"), (30.0, 30.0, "W")], 90) == [2, 0, -1]


def test_epochs_begin_with_the_hypnogram() -> None:
    made = hypnogram([(72.0, 60.0, "N1"), (132.0, 30.0, "N2")], {}, 30, "h.edf")
    first_s, stages = made.on(30, 200)
    assert first_s == 12.0
    assert stages.tolist() == [-1, -1, 1, 1, 2, -1]


def test_spans_that_are_a_little_off_the_grid() -> None:
    assert stages_of([(0.0, 30.2, "N1"), (29.9, 30.0, "N2")], 60) == [1, 2]
    assert hypnogram([(29.9, 30.0, "N1")], {}, 30, "h.edf").on(30, 60)[0] == 0.0


WITHOUT_DURATION: Spans = [(0, 0, "W"), (90, 0, "N1"), (120, 0, "N2")]


def test_a_stage_without_duration_lasts_as_long_as_it_is_told_to() -> None:
    for lasting, stages in [
        ("until the next", [0, 0, 0, 1, 2, -1, -1]),
        ("an epoch", [0, -1, -1, 1, 2, -1, -1]),
    ]:
        found = hypnogram(WITHOUT_DURATION, {}, 30, "h", lasting=lasting)
        assert found.on(30, 210)[1].tolist() == stages


def test_where_it_makes_no_difference_nothing_need_be_told() -> None:
    assert stages_of([(0, 0, "W"), (30, 0, "N1"), (60, 0, "N2")], 90) == [0, 1, 2]


def test_else_a_duration_is_not_guessed() -> None:
    with pytest.raises(
        UserError, match=r"at 0 s has no duration, .* 90 s later.*lasting: an epoch"
    ):
        hypnogram(WITHOUT_DURATION, {}, 30, "h")


def test_own_labels() -> None:
    labels = {"Wach": "W", "0": "N2", "Licht aus": "ignore", "N1": "unscored"}
    spans = [(0, 30, "wach"), (13, 0, "Licht aus"), (30, 30, "0"), (60, 30, "n1")]
    assert hypnogram(spans, labels, 30, "h").on(30, 90)[1].tolist() == [0, 2, -1]


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        (
            [(0, 30, "W"), (30, 30, "Arousal"), (60, 30, "5")],
            r"h: .*: '5', 'Arousal'\. .*{'5': unscored, .*Known .*W",
        ),
        ([(0, 30, "?")], "h: no epoch is scored"),
        ([], "h: no epoch is scored"),
    ],
)
def test_labels_that_cannot_be_used(spans: Spans, message: str) -> None:
    with pytest.raises(UserError, match=message):
        hypnogram(spans, {}, 30, "h")


def test_off_the_grid() -> None:
    with pytest.raises(
        UserError, match=r"from 30 s to 50 s \(2 of 3 like it\) does not fit .*30 s"
    ):
        stages_of([(0.0, 30.0, "W"), (30.0, 20.0, "N1"), (50.0, 40.0, "N2")], 300)


def test_contradiction() -> None:
    with pytest.raises(UserError, match=r"h\.edf: two annotations give different stages at 60 s"):
        stages_of([(0.0, 90.0, "W"), (60.0, 30.0, "N1")], 300)
    assert stages_of([(0.0, 90.0, "W"), (60.0, 60.0, "W")], 120) == [0, 0, 0, 0]


def test_another_recordings_start() -> None:
    made = hypnogram([(0, 3000, "N2")], {}, 30, "h.edf", START)
    made.check_belongs(30, 3000, START)
    made.check_belongs(30, 3000, None)
    other = START + timedelta(days=1)
    with pytest.raises(UserError, match=f"not the hypnogram .* starts {START}, the rec.* {other}"):
        made.check_belongs(30, 3000, other)


def test_sleep_after_the_end() -> None:
    made = hypnogram([(0, 3000, "W"), (3000, 30, "N2"), (3030, 9000, "?")], {}, 30, "h.edf")
    made.check_belongs(30, 2990, None)
    with pytest.raises(UserError, match="scores sleep at 3000 s, the recording ends at 1500 s"):
        made.check_belongs(30, 1500, None)


def test_far_too_short() -> None:
    made = hypnogram([(0, 3000, "N2")], {}, 30, "h.edf", START)
    made.check_belongs(30, 80_000, START)
    with pytest.raises(UserError, match="ends at 3000 s, the recording at 80000 s"):
        made.check_belongs(30, 80_000, None)
