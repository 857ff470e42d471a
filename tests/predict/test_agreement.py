"""A prediction against a hypnogram in any form that is read, on the epochs that both know."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sleepsweep.data.edf.hypnogram import hypnogram as made
from sleepsweep.data.edf.writing import write_hypnogram, write_psg
from sleepsweep.errors import UserError
from sleepsweep.evaluation import ModelFile
from sleepsweep.metrics import STAGES
from sleepsweep.model import Model
from sleepsweep.predict import (
    Agreement,
    NightReport,
    agreement_with,
    read_reference,
    report_on,
    sleep_statistics,
)

START = datetime(2020, 2, 3, 22, 45, 30)
AASM = dict(enumerate(STAGES)) | {-1: "?"}


def agreement_of(predicted: Any, reference: Any) -> Agreement:
    one, other = (np.asarray(each, dtype=np.int8) for each in (predicted, reference))
    return Agreement(one, other, 30, "a.edf")


def test_measures_are_of_the_epochs_that_are_compared() -> None:
    found = agreement_of([0, 1, 2, 2, 3, 3, 4, 4, -1, 2], [0, 2, 2, 2, 3, 2, 4, 4, 1, -1])
    measures = found.measures()
    assert found.epochs == 8
    assert measures["accuracy"] == 6 / 8
    # By chance: (1·1 + 0·1 + 4·2 + 1·2 + 2·2) / 64.
    chance = 15 / 64
    assert measures["kappa"] == pytest.approx((6 / 8 - chance) / (1 - chance))
    assert measures["f1.N2"] == pytest.approx(2 * 2 / (4 + 2))
    assert np.isnan(measures["f1.N1"])
    assert found.matrix[2].tolist() == [0, 1, 2, 1, 0]


def test_statistics_are_of_each_hypnogram_whole() -> None:
    predicted, reference = [0, 1, -1, -1, 4, 4], [0, 2, 2, 0, 4, -1]
    found = agreement_of(predicted, reference).statistics()
    assert found["predicted"] == sleep_statistics(predicted, 30)
    assert found["reference"] == sleep_statistics(reference, 30)


def test_an_expert_s_sleep_is_not_less_for_what_the_model_cannot_use(
    model: Callable[..., Model], model_file: Path, tmp_path: Path
) -> None:
    signal = np.random.default_rng(0).normal(size=24 * 3000) * 20
    signal[9000:15000] = 0
    write_psg(tmp_path / "a.edf", [signal], ["Fpz-Cz"], 100, START)
    scored = [0, 2, 2, 0, 2, *[2] * 17, 0, -1]
    write_hypnogram(tmp_path / "b.edf", scored, 30, START)
    file = ModelFile(model_file, model())
    report = report_on(file, tmp_path / "a.edf", compare=tmp_path / "b.edf")
    assert report.agreement is not None
    assert report.agreement.epochs == 21
    told = report.statistics["reference"]
    assert (told["sleep_time"], told["waso"], told["recorded"]) == (10.0, 0.5, 12.0)
    alone = report_on(file, tmp_path / "a.edf")
    assert report.statistics["predicted"] == alone.statistics["predicted"]


def test_epochs_that_one_does_not_know_are_left_out(report: NightReport, scored: Any) -> None:
    agreement = report.agreement
    assert agreement is not None
    assert agreement.epochs == len(scored) - 2
    assert np.array_equal(agreement.reference, scored)
    assert np.array_equal(agreement.predicted, report.prediction.stages)
    assert agreement.both.tolist() == [True] * (len(scored) - 2) + [False] * 2


def test_epochs_begin_where_the_hypnogram_s_do(
    model: Callable[..., Model], model_file: Path, night: Path, tmp_path: Path
) -> None:
    lines = [f"{11 + 30 * n},30,N2" for n in range(23)]
    (tmp_path / "scored.csv").write_text("\n".join(["onset,duration,stage", *lines]))
    file = ModelFile(model_file, model())
    report = report_on(file, night, compare=tmp_path / "scored.csv")
    assert report.prediction.night.first_s == 11
    assert report.agreement is not None
    assert report.agreement.epochs == 23


def test_other_epochs_than_the_hypnogram_s_are_a_mistake_of_the_caller(
    report: NightReport,
) -> None:
    later = made([(7.0 + 30 * n, 30.0, "N2") for n in range(20)], {}, 30, "later.csv")
    with pytest.raises(ValueError, match=r"epochs from 0\.0 s, those scored: 7\.0 s"):
        agreement_with(later, report.prediction)


def test_every_form_of_a_hypnogram_says_the_same(night: Path, scored: Any, tmp_path: Path) -> None:
    names = [AASM[int(stage)] for stage in scored]
    write_hypnogram(tmp_path / "a.edf", scored, 30, START)
    (tmp_path / "a.txt").write_text("\n".join(names))
    (tmp_path / "a.tsv").write_text("\n".join(["stage", *names]))
    (tmp_path / "a.csv").write_text(
        "\n".join(["onset,stage", *(f"{30 * n},{name}" for n, name in enumerate(names))])
    )
    (tmp_path / "b.csv").write_text("\n".join(["Schlaf", *(f"s{name}" for name in names)]))
    (tmp_path / "b.yaml").write_text(
        "hypnogram: {format: table, stage: Schlaf}\n"
        "stages: {sW: W, sN1: N1, sN2: N2, sN3: N3, sR: R, 's?': unscored}\n"
    )
    for name in ("a.edf", "a.txt", "a.tsv", "a.csv", "b.csv"):
        description = tmp_path / "b.yaml" if name == "b.csv" else None
        found = read_reference(tmp_path / name, night, 30, description)
        assert np.array_equal(found.on(30, 720)[1], scored), name


def test_a_hypnogram_of_another_night_is_refused(night: Path, tmp_path: Path) -> None:
    write_hypnogram(tmp_path / "a.edf", [0, 2, 3], 30, datetime(2020, 2, 4, 22))
    with pytest.raises(UserError, match="is not the hypnogram of this recording: it starts"):
        read_reference(tmp_path / "a.edf", night, 30)
    (tmp_path / "a.txt").write_text("W\nN2\n" * 100)
    with pytest.raises(UserError, match="200 stages of 30 s last 6000 s, the recording 720 s"):
        read_reference(tmp_path / "a.txt", night, 30)


def test_a_file_that_does_not_tell_its_form_is_refused(night: Path, tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_text("W\n")
    with pytest.raises(UserError, match=r"a\.dat: its name does not tell .* --description"):
        read_reference(tmp_path / "a.dat", night, 30)
