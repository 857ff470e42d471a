"""The files that a prediction is written to, as others read them; no recording is written over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from sleepsweep.data.edf.hypnogram_files import HypnogramSpec
from sleepsweep.data.edf.writing import AASM_LABELS, write_hypnogram
from sleepsweep.errors import UserError
from sleepsweep.metrics import STAGES
from sleepsweep.model import About
from sleepsweep.predict import NightReport, outputs_for, read_night, write_outputs
from sleepsweep.predict.outputs import WRITERS


def test_the_table_is_read_as_a_hypnogram(report: NightReport, tmp_path: Path) -> None:
    write_outputs(report, [tmp_path / "a.csv"])
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["stage"].tolist() == [STAGES[stage] for stage in report.prediction.stages]
    assert np.allclose(table[list(STAGES)], report.prediction.probabilities, atol=1e-4)
    read = HypnogramSpec(format="table").read(tmp_path / "a.csv", {}, 30)
    assert np.array_equal(read.on(30, 720)[1], report.prediction.stages)


def test_annotations_are_read_by_mne_beside_the_recording(
    report: NightReport, night: Path, tmp_path: Path
) -> None:
    write_outputs(report, [tmp_path / "a.edf"])
    raw = mne.io.read_raw_edf(night, verbose="ERROR")
    raw.set_annotations(mne.read_annotations(tmp_path / "a.edf"))
    codes = {label: code for code, label in AASM_LABELS.items() if code >= 0}
    events, _ = mne.events_from_annotations(raw, codes, chunk_duration=30.0, verbose="ERROR")
    assert np.array_equal(events[:, 2], report.prediction.stages)
    assert np.array_equal(events[:, 0], 3000 * np.arange(24))
    assert events[:, 0].max() < raw.n_times
    codes_read = HypnogramSpec().read(tmp_path / "a.edf", {}, 30)
    assert np.array_equal(codes_read.on(30, 720)[1], report.prediction.stages)
    assert codes_read.start == datetime(2020, 2, 3, 22, 45, 30)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(-1, 4), min_size=1, max_size=40), st.sampled_from([0.0, 7.0, 29.5]))
def test_any_stages_come_back_from_annotations(
    tmp_path: Path, stages: list[int], first_s: float
) -> None:
    write_hypnogram(tmp_path / "a.edf", stages, 30, None, AASM_LABELS, first_s)
    found = mne.read_annotations(tmp_path / "a.edf")
    codes = {label: code for code, label in AASM_LABELS.items()}
    rows = zip(found.onset, found.duration, found.description, strict=True)
    back = [(first, codes[text]) for onset, lasts, text in rows
            for first in np.arange(onset, onset + lasts, 30)]  # fmt: skip
    assert [stage for _, stage in back] == stages
    assert [onset for onset, _ in back] == [first_s + 30 * n for n in range(len(stages))]


def test_the_picture_is_one(report: NightReport, tmp_path: Path) -> None:
    write_outputs(report, [tmp_path / "a.png"])
    pixels = imread(tmp_path / "a.png")
    assert pixels.shape[:2] == (1050, 1650)
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 20


def test_a_night_whose_date_is_withheld_is_written_all_the_same(
    report: NightReport, night: Path, about: Callable[..., About], tmp_path: Path
) -> None:
    header = bytearray(night.read_bytes())
    header[168:176] = b"01.01.85"
    header[88:168] = b"Startdate X X X X".ljust(80)
    night.write_bytes(header)
    withheld = read_night(night, about())
    assert withheld.start is None
    undated = replace(report, prediction=replace(report.prediction, night=withheld))
    files = [tmp_path / f"a{ending}" for ending in WRITERS]
    write_outputs(undated, files)
    assert "date withheld" in (tmp_path / "a.html").read_text()
    raw = mne.io.read_raw_edf(night, verbose="ERROR")
    raw.set_annotations(mne.read_annotations(tmp_path / "a.edf"))
    assert raw.annotations.onset[0] == 0
    assert sum(raw.annotations.duration) == 720


def test_a_folder_gets_all_of_it(tmp_path: Path) -> None:
    night = tmp_path / "nights" / "a.edf"
    found = outputs_for([night], night, [tmp_path / "out", tmp_path / "b.csv"])
    names = [f"a.hypnogram{ending}" for ending in WRITERS]
    assert found == {night: [*(tmp_path / "out" / name for name in names), tmp_path / "b.csv"]}


def test_nights_of_one_name_are_written_where_they_lie(tmp_path: Path) -> None:
    nights = [tmp_path / "x" / "a.edf", tmp_path / "y" / "a.edf"]
    (tmp_path / "x").mkdir()
    found = outputs_for(nights, tmp_path, [tmp_path / "out"])
    assert found[nights[1]][0] == tmp_path / "out" / "y" / "a.hypnogram.csv"
    assert len({path for files in found.values() for path in files}) == 8


def test_nothing_is_written_without_a_wish(tmp_path: Path) -> None:
    assert outputs_for([tmp_path / "a.edf"], tmp_path / "a.edf", []) == {tmp_path / "a.edf": []}


def refused(nights: list[Path], root: Path, out: list[Path], inputs: Any = ()) -> str:
    with pytest.raises(UserError) as caught:
        outputs_for(nights, root, out, inputs)
    return str(caught.value)


def test_what_is_to_be_written_must_be_clear(tmp_path: Path) -> None:
    night = tmp_path / "a.edf"
    assert "what is to be written?" in refused([night], night, [tmp_path / "b.pdf"])
    assert "written twice" in refused([night], night, [tmp_path / "b.csv"] * 2)
    assert "is one file, but" in refused([night], tmp_path, [tmp_path / "b.csv"])
    (tmp_path / "file").write_text("text")
    assert "is a file, and no ending" in refused([night], night, [tmp_path / "file"])
    bdf = tmp_path / "a.bdf"
    assert "written twice" in refused([night, bdf], tmp_path, [tmp_path / "out"])


def test_nothing_that_is_read_is_written_over(night: Path, tmp_path: Path) -> None:
    sideways = night.parent / ".." / night.parent.name / night.name
    assert "must not be written over" in refused([night], night, [sideways], [night])
    assert "must not" in refused([night], night, [tmp_path / "m.csv"], [tmp_path / "m.csv"])


def test_no_recording_is_written_over(
    night: Path, write_night: Callable[..., Path], tmp_path: Path, hypnogram: Path
) -> None:
    other = write_night(tmp_path / "other.edf")
    assert "a recording is never written over" in refused([night], night, [other])
    (tmp_path / "b.edf").write_bytes(b"who knows")
    assert "never written over" in refused([night], night, [tmp_path / "b.edf"])
    assert outputs_for([night], night, [hypnogram])
