"""Described data sets: four kinds of folder, read without code, and their hostile versions."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from edfio import Edf, EdfAnnotation, EdfSignal

from sleepsweep.data.edf.described import (
    OWN_PERSON,
    TELLING,
    DescribedSource,
    described_at,
    holds_edf,
)
from sleepsweep.data.edf.description import Description
from sleepsweep.data.edf.writing import write_hypnogram, write_psg
from sleepsweep.data.recording import Recording
from sleepsweep.errors import UserError

START = datetime(1989, 4, 24, 16, 13)
STAGES = [0, 1, 2, -1, 3, 4]
Maker = Callable[[Path], str]


def psg(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(0).normal(0, 20, (2, 6 * 30 * 50))
    write_psg(path, values, ["EEG C4", "EEG M1"], 50, START)


def inside(folder: Path) -> str:
    """EDF+ with the stages inside."""
    labels = ["W", "N1", "N2", "?", "N3", "R"]
    annotations = [EdfAnnotation(30 * k, 30, f"Sleep stage {x}") for k, x in enumerate(labels)]
    signals = [
        EdfSignal(np.random.default_rng(k).normal(size=6 * 30 * 50), 50, label=label)
        for k, label in enumerate(["EEG C4", "EEG M1"])
    ]
    Edf(signals, annotations=annotations).write(folder / "sub-01_ses-1_eeg.edf")
    return "derivations: [C4-M1]"


def table(folder: Path) -> str:
    """EDF with a CSV file beside it."""
    psg(folder / "sub-01_ses-1_eeg.edf")
    labels = ["wach", "1", "2", "x", "3", "5"]
    rows = [f"{30 * k};30;{label}\n" for k, label in enumerate(labels)]
    (folder / "sub-01_ses-1_eeg.csv").write_text("onset;duration;stage\n" + "".join(rows))
    return """
        derivations: [C4-M1]
        hypnogram: {file: "{folder}/{stem}.csv", format: table}
        stages: {wach: W, 1: N1, 2: N2, 3: N3, 5: R, x: unscored}
    """


def bids(folder: Path) -> str:
    """A BIDS tree with events."""
    place = folder / "data" / "sub-01" / "ses-1" / "eeg"
    psg(place / "sub-01_ses-1_eeg.edf")
    labels = ["W", "N1", "N2", "Arousal", "N3", "R"]
    rows = [f"{30 * k}\t30\tn/a\t{label}\n" for k, label in enumerate(labels)]
    events = "onset\tduration\tvalue\ttrial_type\n" + "".join(rows)
    (place / "sub-01_ses-1_events.tsv").write_text(events)
    return r"""
        root: data
        recordings: "sub-*/ses-*/eeg/*_eeg.edf"
        person: '(?P<subject>sub-\w+)_ses-(?P<night>\d+)_eeg'
        derivations: [C4-M1]
        hypnogram:
          file: "{folder}/{subject}_ses-{night}_events.tsv"
          format: table
          stage: trial_type
        stages: {Arousal: ignore}
    """


def column(folder: Path) -> str:
    """EDF with a plain text column in another folder."""
    psg(folder / "edf" / "sub-01_ses-1_eeg.edf")
    (folder / "scores").mkdir()
    (folder / "scores" / "sub-01_ses-1_AB.txt").write_text("W\nS1\nS2\nMT\nS4\nREM\n")
    return r"""
        recordings: "edf/*.edf"
        person: '(?P<name>(?P<subject>sub-01)_ses-1)'
        derivations: [C4-M1]
        hypnogram: {file: "scores/{name}_*.txt", format: column}
    """


def source(folder: Path, text: str) -> DescribedSource:
    path = folder / "data.yaml"
    path.write_text(text)
    return described_at(path, None, 30, ())


def only(found: DescribedSource) -> Recording:
    (recording,) = found.recordings()
    return recording


@pytest.mark.parametrize("make", [inside, table, bids, column])
def test_four_kinds_of_folder_without_code(tmp_path: Path, make: Maker) -> None:
    recording = only(source(tmp_path, make(tmp_path)))
    assert (recording.subject, recording.night) == ("sub-01", 1)
    assert recording.stages.tolist() == STAGES
    assert recording.positions.tolist() == list(range(6))
    assert recording.epochs.shape == (6, 1, 1500)
    assert recording.channels == ("C4-M1",)
    assert recording.source.endswith("sub-01_ses-1_eeg.edf")


def test_the_signal_is_cut_where_the_hypnogram_begins(tmp_path: Path) -> None:
    psg(tmp_path / "sub-01.edf")
    (tmp_path / "sub-01.csv").write_text("onset,duration,stage\n40,60,N2\n")
    text = 'derivations: [M1]\nhypnogram: {file: "{stem}.csv", format: table}'
    recording = only(source(tmp_path, text))
    values = np.random.default_rng(0).normal(0, 20, (2, 6 * 30 * 50))[1]
    assert recording.stages.tolist() == [-1, 2, 2, -1, -1]
    assert recording.epochs.reshape(-1) == pytest.approx(values[500:8000], abs=5e-3)


def test_given_derivations_and_root_win(tmp_path: Path) -> None:
    text = table(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "data.yaml"
    path.write_text(text)
    assert only(described_at(path, tmp_path, 30, ("M1", "C4"))).channels == ("M1", "C4")
    with pytest.raises(UserError, match="elsewhere: holds no recording that fits"):
        described_at(path, None, 30, ()).nights()


def test_another_epoch_length(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("epoch_s: 20")
    with pytest.raises(UserError, match=r"epoch_s is 20, but data\.epoch_s is 30"):
        described_at(tmp_path / "data.yaml", None, 30, ())


def test_the_fingerprint_tells_changed_files_and_descriptions(tmp_path: Path) -> None:
    text = table(tmp_path)
    before = source(tmp_path, text).fingerprint()
    assert source(tmp_path, text).fingerprint() == before
    assert source(tmp_path, text.replace("wach: W", "wach: N1")).fingerprint() != before
    with (tmp_path / "sub-01_ses-1_eeg.csv").open("a") as file:
        file.write("\n")
    assert source(tmp_path, text).fingerprint() != before


def refused(found: DescribedSource, message: str) -> None:
    with pytest.raises(UserError, match=message):
        found.recordings()


def test_hypnograms_that_are_missing_or_too_many(tmp_path: Path) -> None:
    text = column(tmp_path)
    scores = tmp_path / "scores"
    (scores / "sub-01_ses-1_CD.txt").write_text("W\n")
    refused(source(tmp_path, text), "has 2 hypnograms: sub-01_ses-1_AB.txt, sub-01_ses-1_CD.txt")
    for path in scores.iterdir():
        path.unlink()
    (scores / "._sub-01_ses-1_AB.txt").write_text("a companion")
    refused(source(tmp_path, text), r"has no hypnogram: nothing fits 'scores/sub-01_ses-1_\*\.txt'")


def test_two_recordings_of_one_night(tmp_path: Path) -> None:
    text = column(tmp_path)
    psg(tmp_path / "edf" / "sub-01_ses-1_copy.edf")
    refused(source(tmp_path, text), "copy.edf are both night 1 of sub-01|eeg.edf are both night 1")


def test_names_that_do_not_tell(tmp_path: Path) -> None:
    psg(tmp_path / "anna.edf")
    message = (
        r"'anna\.edf' does not tell who slept \(it does not fit '.*sub.*'\)\. Name it as Sleep"
    )
    refused(source(tmp_path, "person: '(?P<subject>sub-.*)'"), message)
    text = "person: '(?P<subject>an)(?P<night>na)'"
    refused(source(tmp_path, text), "the night is 'na', not a whole number")


def test_names_are_never_taken_for_people_unasked(tmp_path: Path) -> None:
    for name in ("p1_night1.edf", "p1_night2.edf"):
        psg(tmp_path / name)
        (tmp_path / name).with_suffix(".txt").write_text("W\nN1\nN2\n?\nN3\nR\n")
    text = 'derivations: [C4]\nhypnogram: {file: "{stem}.txt", format: column}\n'
    refused(source(tmp_path, text), r"'p1_night1\.edf' does not tell who slept\. .*person: '")
    with pytest.raises(UserError, match="does not tell who slept"):
        DescribedSource(tmp_path, Description()).recordings()
    telling = source(tmp_path, text + TELLING.replace("P[", "p["))
    assert [(r.subject, r.night) for r in telling.recordings()] == [("p1", 1), ("p1", 2)]
    refused(source(tmp_path, text + OWN_PERSON), r"'p1_night2', .*'p1_night1': these may be one")
    for name in ("p1_night2.edf", "p1_night2.txt"):
        (tmp_path / name).rename(tmp_path / name.replace("p1_night", "p"))
    own = source(tmp_path, text + OWN_PERSON)
    assert [r.subject for r in own.recordings()] == ["p1_night1", "p2"]


def test_people_that_cannot_be_beside_each_other(tmp_path: Path) -> None:
    for name in ("P1/a.edf", "p1/b.edf"):
        psg(tmp_path / name)
    refused(
        source(tmp_path, "person: '(?P<subject>[^/]+)/(?P<night>[0-9])?'"),
        r"b\.edf is of subject 'p1', .*a\.edf of 'P1'",
    )
    refused(source(tmp_path, "person: '(?P<subject>x)?[ab].edf'"), "name of its subject is empty")


def test_one_unnamed_derivation_is_the_same_in_all_files(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(0, 20, (1, 6 * 30 * 50))
    for number, label in enumerate(["EEG C3", "c3", "Pz"], start=1):
        write_psg(tmp_path / f"sub-{number}.edf", values, [label], 50, START)
        (tmp_path / f"sub-{number}.txt").write_text("W\nN1\nN2\n?\nN3\nR\n")
    text = 'hypnogram: {file: "{stem}.txt", format: column}'
    refused(
        source(tmp_path, text),
        r"sub-3\.edf: holds Pz, but .*sub-1\.edf holds EEG C3, and no derivation is named.*--deriv",
    )
    (tmp_path / "sub-3.edf").unlink()
    read = source(tmp_path, text).recordings()
    assert [recording.channels for recording in read] == [("C3",), ("c3",)]


def test_a_name_is_taken_literally(tmp_path: Path) -> None:
    psg(tmp_path / "sub-1[1].edf")
    (tmp_path / "sub-11.txt").write_text("of another")
    (tmp_path / "sub-1[1].txt").write_text("W\nN1\nN2\n?\nN3\nR\n")
    text = 'derivations: [C4]\nhypnogram: {file: "{folder}/{stem}.txt", format: column}'
    assert only(source(tmp_path, text)).stages.tolist() == STAGES


def test_a_group_that_takes_no_part_is_empty(tmp_path: Path) -> None:
    psg(tmp_path / "anna.edf")
    (tmp_path / "scores.txt").write_text("W\nN1\nN2\n?\nN3\nR\n")
    text = r"""
        derivations: [C4]
        person: '(?P<place>lab\d)?(?P<subject>anna)'
        hypnogram: {file: "{place}/scores.txt", format: column}
    """
    assert only(source(tmp_path, text)).stages.tolist() == STAGES


def test_a_hypnogram_of_another_night(tmp_path: Path) -> None:
    psg(tmp_path / "sub-01.edf")
    (tmp_path / "scores").mkdir()
    other = datetime(1989, 4, 25, 14, 50)
    write_hypnogram(tmp_path / "scores" / "sub-01.edf", STAGES, 30, other)
    text = 'derivations: [C4]\nrecordings: "*.edf"\nhypnogram: {file: "scores/{stem}.edf"}'
    with pytest.raises(UserError, match=f"starts {other}, the recording {START}"):
        only(source(tmp_path, text))


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    refused(source(tmp_path, "root: nowhere"), "nowhere: no such folder")
    refused(source(tmp_path, "root: data.yaml"), "is a file, not a folder")
    refused(source(tmp_path, "{}"), r"holds no recording that fits '\*\*/.* \(found: 1 × \.yaml\)")


def test_holds_edf(tmp_path: Path) -> None:
    assert not holds_edf(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.BDF").touch()
    assert holds_edf(tmp_path)
    assert not holds_edf(tmp_path / "deep" / "a.BDF")
