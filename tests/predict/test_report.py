"""What is told of a night: whom the model knows, and every number with what limits it."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from sleepsweep.data.edf.writing import write_psg
from sleepsweep.errors import UserError
from sleepsweep.evaluation import ModelFile, read_model
from sleepsweep.model import Model
from sleepsweep.predict import NightReport, report_on

Write = Callable[..., Path]


@pytest.fixture
def told(
    model: Callable[..., Model], model_file: Path, write_night: Write, tmp_path: Path
) -> Callable[..., NightReport]:
    def call(name: str, *, strangers: bool = False) -> NightReport:
        path = write_night(tmp_path / name)
        return report_on(ModelFile(model_file, model()), path, strangers=strangers)

    return call


@pytest.mark.parametrize(
    ("name", "trained_on", "tested_on"),
    [
        ("SIM0031E0-PSG.edf", "SIM003", None),
        ("SIM0041E0-PSG.edf", None, "SIM004"),
        ("SIM0051E0-PSG.edf", None, None),
        ("night_Anna_2.edf", "anna", None),
        ("hannah.edf", None, None),
    ],
)
def test_it_says_whom_the_model_was_trained_on(
    told: Callable[..., NightReport], name: str, trained_on: str | None, tested_on: str | None
) -> None:
    report = told(name)
    assert (report.trained_on, report.tested_on) == (trained_on, tested_on)
    said = " ".join(report.notes())
    assert ("Trained on: the file bears the name of" in said) == (trained_on is not None)
    assert ("has not seen SIM004" in said) == (tested_on is not None)
    stranger = told(name, strangers=True)
    assert (stranger.trained_on, stranger.tested_on) == (None, None)


def test_a_short_recording_is_told_of(report: NightReport) -> None:
    assert any(note.startswith("Less than 3 hours") for note in report.notes())


def test_of_one_night_there_is_no_interval(report: NightReport) -> None:
    assert "One night: there is no interval" in report.notes()[-1]
    assert report.as_json()["agreement"]["interval"] is None


def test_epochs_without_a_stage_are_counted(
    model: Callable[..., Model], model_file: Path, tmp_path: Path
) -> None:
    signal = np.random.default_rng(0).normal(size=24 * 3000) * 20
    signal[:6000] = 0
    write_psg(tmp_path / "a.edf", [signal], ["Fpz-Cz"], 100, datetime(2020, 2, 3))
    report = report_on(ModelFile(model_file, model()), tmp_path / "a.edf")
    assert "Without a stage: 2 epochs that cannot be used (2 flat)." in report.notes()
    assert report.as_json()["dropped"]["flat"] == 2


def test_as_json_it_is_strict_json(report: NightReport) -> None:
    back = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert back["epochs"] == 24
    assert sum(back["stages"].values()) == 24
    assert set(back["statistics"]) == {"predicted", "reference"}
    assert np.sum(back["agreement"]["confusion"]) == back["agreement"]["epochs"] == 22


def test_a_model_on_the_shelf_is_read(model_file: Path, night: Path) -> None:
    report = report_on(read_model(model_file, classifier=True), night)
    assert report.model == str(model_file)
    assert report.heading == "P07.edf, Fpz-Cz, by model.safetensors"
    with pytest.raises(UserError, match="no such file"):
        report_on(read_model(model_file, classifier=True), night.with_name("gone.edf"))
