"""Hypnograms in EDF+, in tables and in columns; and the genuine ones of Sleep-EDF."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from edfio import Edf, EdfAnnotation, EdfSignal
from pydantic import ValidationError

from sleepsweep.data.edf.hypnogram_files import HypnogramSpec, read_annotations
from sleepsweep.data.edf.writing import write_hypnogram, write_psg
from sleepsweep.data.recording import Recording, crop_wake
from sleepsweep.errors import UserError

START = datetime(1989, 4, 24, 16, 13)


def read(path: Path, duration_s: float = 90, labels: Any = None, **spec: str) -> list[int]:
    made = HypnogramSpec.model_validate(spec).read(path, labels or {}, 30)
    return made.on(30, duration_s)[1].tolist()


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def test_annotations_in_a_file_of_their_own(tmp_path: Path) -> None:
    write_hypnogram(tmp_path / "a.edf", [0, 3, -1], 30, START)
    made = read_annotations(tmp_path / "a.edf", {}, 30)
    assert made.start == START
    assert made.on(30, 90)[1].tolist() == [0, 3, -1]


def test_annotations_beside_signals(tmp_path: Path) -> None:
    # The bytes of these samples look like an annotation: +1, duration 1, "Sleep stage 4".
    bait = np.frombuffer(b"+1\x151\x14Sleep stage 4\x14\x00" * 6000, dtype="<i2").astype(float)
    signal = EdfSignal(
        bait, len(bait) / 120, label="C3", physical_range=(-32768, 32767),
        digital_range=(-32768, 32767),
    )  # fmt: skip
    texts = ["Sleep stage W", "Lights off", "Sleep stage N2", "Phase éveil"]
    annotations = [EdfAnnotation(30 * k, 30, text) for k, text in enumerate(texts)]
    Edf([signal], annotations=annotations, data_record_duration=120).write(tmp_path / "a.edf")
    labels = {"lights off": "ignore", "Phase éveil": "W"}
    assert read(tmp_path / "a.edf", 120, labels) == [0, -1, 2, 0]


def test_annotations_in_latin_1(tmp_path: Path) -> None:
    write_hypnogram(tmp_path / "a.edf", [0, 2], 30, START, {0: "Phase 0!", 2: "N2"})
    contents = (tmp_path / "a.edf").read_bytes()
    (tmp_path / "a.edf").write_bytes(contents.replace(b"Phase 0!", "Phase é!".encode("latin1")))
    assert read(tmp_path / "a.edf", 60, {"Phase é!": "W"}) == [0, 2]


def test_a_file_without_annotations(tmp_path: Path) -> None:
    write_psg(tmp_path / "a.edf", np.ones((1, 300)), ["C3"], 10, START)
    with pytest.raises(UserError, match=r"no EDF\+ annotations, only signals \(C3\)"):
        read(tmp_path / "a.edf")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "onset\tduration\tstage\n0\t30\tW\n30\t60\tN2\n"),
        ("a.csv", "onset,duration,stage\n0,30,W\n30.0,60.0,N2\n"),
        ("a.csv", "\ufeffstage ; onset ;duration\r\nW; 0;30\r\nN2;30;n/a\r\nN2;60;\r\n"),
        ("a.csv", "onset,stage\n0,W\n30,N2\n60,N2\n"),
        ("a.csv", "stage\nW\nN2\nN2\n"),
        ("a.csv", "stage\r\nW\r\nN2\r\nN2\r\n\r\n\r\n"),
        ("a.csv", "onset,stage,note\n0,W,ok\n30,N2\n60,N2\n"),
    ],
)
def test_tables(tmp_path: Path, name: str, text: str) -> None:
    assert read(write(tmp_path / name, text), format="table") == [0, 2, 2]


def test_a_table_with_other_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "events.tsv", "t\tlength\ttrial_type\n0\t90\t2\n")
    columns = {"onset": "t", "duration": "length", "stage": "trial_type"}
    assert read(path, labels={"2": "N2"}, format="table", **columns) == [2, 2, 2]


def test_a_column(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.txt", "W\n N1 \n?\n\n"), format="column") == [0, 1, -1]


HOSTILE = {
    "no stage": ("table", "onset,duration\n0,30\n", "no column 'stage'; it has: onset, duration"),
    "text onset": ("table", "onset,stage\n22:14:00,W\n", "line 2: onset is '22:14:00', not a numb"),
    "no onset": ("table", "onset,stage\n0,W\nn/a,W\n", "line 3: onset is 'n/a'"),
    "ragged": ("table", "onset,stage\n0,W\n1,2,3,4\n", "not a table with a header line"),
    "empty table": ("table", "", "not a table with a header line"),
    "longer rows": ("table", "stage,onset\nW,0,30\nN2,30,30\n", "more fields than its header"),
    "blank row": ("table", "onset,stage\n0,W\n\n30,W\n", "line 3: onset is '', not a number"),
    "blank label": ("table", "stage\nW\n\nN2\n", "labels that mean no stage: ''"),
    "blank line": ("column", "W\n\nN2\n", "labels that mean no stage: ''"),
    "leading blank line": ("column", "\nW\nN2\n", "labels that mean no stage: ''"),
    "missing field": ("table", "onset,stage\n0,W\n30\n", "labels that mean no stage: ''"),
    "empty column": ("column", "\n", "no epoch is scored"),
    "unknown": ("column", "W\nX\n", "labels that mean no stage: 'X'"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file(tmp_path: Path, case: str) -> None:
    form, text, message = HOSTILE[case]
    path = write(tmp_path / "a.csv", text)
    with pytest.raises(UserError, match=message) as caught:
        read(path, format=form)
    assert str(caught.value).startswith(str(path))


def test_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    for form in ("table", "column"):
        with pytest.raises(UserError, match="cannot be read as UTF-8 text"):
            read(tmp_path / "a.csv", format=form)
    with pytest.raises(UserError, match=r"cannot be read .*No such file"):
        read(tmp_path / "b.csv", format="column")


def test_a_list_of_stages_must_be_as_long_as_the_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "N2\n" * 100)
    made = HypnogramSpec(format="column").read(path, {}, 30)
    made.check_belongs(30, 3029, None)
    for duration_s in (2000, 4000):
        with pytest.raises(UserError, match=f"100 stages of 30 s last 3000 s.*{duration_s} s"):
            made.check_belongs(30, duration_s, None)


@pytest.mark.parametrize(
    ("text", "spec", "message"),
    [
        ("start_s,stage\n60,N1\n", {"onset": "start"}, "no column 'start'; it has: start_s, stage"),
        ("onset,stage\n0,N1\n", {"duration": "length"}, "no column 'length'.*hypnogram.duration"),
        ("W\nN1\nN2\n", {}, "first line, 'W', is a stage and no header.*format: column"),
        ("onset,stage\n0,W\n120,N1\n", {}, "at 0 s has no duration"),
    ],
)
def test_columns_are_not_guessed(
    tmp_path: Path, text: str, spec: dict[str, str], message: str
) -> None:
    path = write(tmp_path / "a.csv", text)
    with pytest.raises(UserError, match=message):
        read(path, format="table", **spec)


def test_a_list_a_whole_epoch_short_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "W\nN1\nN2\n")
    labels = HypnogramSpec(format="column").read(path, {}, 30)
    labels.check_belongs(30, 119, None)  # the recording's last, unfinished epoch
    with pytest.raises(UserError, match="3 stages of 30 s last 90 s, the recording 120 s"):
        labels.check_belongs(30, 120, None)


def test_an_unknown_format() -> None:
    with pytest.raises(ValidationError, match="'annotations', 'table' or 'column'"):
        HypnogramSpec.model_validate({"format": "xml"})


def night_as_scored(path: Path) -> Recording:
    _, stages = read_annotations(path, {}, 30).on(30, 86400)
    count = len(stages)
    return Recording(
        subject=path.name[3:5], night=int(path.name[5]), epochs=np.zeros((count, 1, 30), "f4"),
        stages=stages, positions=np.arange(count, dtype=np.int32), sfreq=1.0, channels=("none",),
        unit="uV", source=str(path),
    )  # fmt: skip


def test_genuine_hypnograms_agree_with_the_table_of_their_nights(shared_data: Path) -> None:
    """Cropped, the 16 files give the table's counts of N1, N2, N3 and REM, and all but 42 of W.

    Those 42, in three nights, are epochs that the experts scored W and whose stage the table
    withholds (-100), as it does for epochs whose signal was rejected: movement artefacts, while
    awake. Everywhere else the table has the file's stage, epoch by epoch, and -100 for movement.
    """
    table = pd.read_parquet(
        shared_data / "sleep-edf" / "bandpower.parquet",
        columns=["subject", "night", "onset_s", "stage"],
    )
    rejected = {}
    files = sorted((shared_data / "sleep-edf" / "hypnograms").glob("*-Hypnogram.edf"))
    assert len(files) == 16
    for path in files:
        night = crop_wake(night_as_scored(path), 30)
        same = (table["subject"] == int(night.subject)) & (table["night"] == night.night)
        rows = table[same].sort_values("onset_s")
        places = (rows["onset_s"] // 30).to_numpy(dtype=int)
        ours = night.stages[places]
        theirs = rows["stage"].to_numpy()
        counts = [np.bincount(s[s >= 0], minlength=5)[1:].tolist() for s in (night.stages, theirs)]
        assert counts[0] == counts[1], path.name
        differing = (ours != theirs) & (ours >= 0)
        assert set(ours[differing].tolist()) <= {0}
        assert set(theirs[differing].tolist()) <= {-100}
        if differing.any():
            rejected[path.name[:6]] = int(differing.sum())
    assert rejected == {"SC4012": 1, "SC4022": 3, "SC4061": 38}
