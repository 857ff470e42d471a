"""TensorBoard's event files, read back by TensorBoard."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.folder.record import TrialRecord
from sleepsweep.plan import Plan
from sleepsweep.spec import sections
from sleepsweep.spec.sections import TrackingSpec
from sleepsweep.tracking.eventfiles import ExperimentEvents, SweepEvents


def record(plan: Plan, order: int) -> TrialRecord:
    slot = plan.slots[order]
    assert slot.trial is not None
    return TrialRecord(slot.order, slot.kind, slot.design, slot.trial)


def rung(number: int, decision: str, **scores: float) -> dict[str, Any]:
    return {"rung": number, "step": 2**number, "decision": decision, **scores}


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Read the event files of one folder as TensorBoard does."""
    read = EventAccumulator(str(folder))
    read.Reload()
    return {
        tag: [(event.step, event.value) for event in read.Scalars(tag)]
        for tag in read.Tags()["scalars"]
    }


def test_the_checks_of_an_experiment_and_what_it_found(
    whole: tuple[ExperimentFolder, Any], tmp_path: Path
) -> None:
    events, heard = ExperimentEvents(tmp_path), whole[1]
    for stage in heard.started:
        events.stage_started(stage)
        for told, step, values in heard.told:
            if told == stage:
                events.stage_told(stage, step, values)
        events.stage_ended(stage, heard.found[stage])
    found = scalars(tmp_path / "tensorboard")
    losses = [(step, values["loss"]) for stage, step, values in heard.told if stage == "pretrain"]
    assert dict(found["pretrain/loss"]) == pytest.approx(dict(losses))
    assert [step for step, _ in found["finetune/macro_f1"]] == [4]
    kappa = heard.found["test"]["finetune.kappa"]
    assert found["test/found/finetune.kappa"] == [(0, pytest.approx(kappa))]
    assert "pretrain/found/ended" not in found
    assert len(list((tmp_path / "tensorboard").iterdir())) == 1


def test_each_trial_of_a_sweep_has_a_folder_with_its_rungs(plan: Plan, tmp_path: Path) -> None:
    events, one, two = SweepEvents(tmp_path), record(plan, 3), record(plan, 6)
    for trial in (one, two):
        events.trial_started(trial)
    events.rung_reported(one, rung(0, "continue", macro_f1=0.4, kappa=float("nan")))
    events.rung_reported(two, rung(0, "stop", macro_f1=0.3))
    events.rung_reported(one, rung(1, "done", macro_f1=0.6, kappa=0.5))
    names = {f"003-{one.trial.id}", f"006-{two.trial.id}"}
    assert {path.name for path in (tmp_path / "tensorboard").iterdir()} == names
    found = scalars(tmp_path / "tensorboard" / f"003-{one.trial.id}")
    assert found["macro_f1"] == [(1, pytest.approx(0.4)), (2, pytest.approx(0.6))]
    assert found["kappa"] == [(2, pytest.approx(0.5))]
    found = scalars(tmp_path / "tensorboard" / f"006-{two.trial.id}")
    assert found == {"macro_f1": [(1, pytest.approx(0.3))]}
    for name in names:
        assert len(list((tmp_path / "tensorboard" / name).iterdir())) == 1


def test_a_trial_that_failed_keeps_what_was_written(plan: Plan, tmp_path: Path) -> None:
    events, trial = SweepEvents(tmp_path), record(plan, 3)
    events.trial_started(trial)
    events.rung_reported(trial, rung(0, "continue", macro_f1=0.4))
    trial.error = "Traceback\nValueError: no"
    events.trial_failed(trial)
    found = scalars(tmp_path / "tensorboard" / f"003-{trial.trial.id}")
    assert found == {"macro_f1": [(1, pytest.approx(0.4))]}


def test_a_process_that_goes_on_adds_a_file_of_its_own(plan: Plan, tmp_path: Path) -> None:
    trial = record(plan, 3)
    for number, decision in enumerate(("continue", "done")):
        events = SweepEvents(tmp_path)
        events.rung_reported(trial, rung(number, decision, macro_f1=0.4 + number / 10))
    (folder,) = (tmp_path / "tensorboard").iterdir()
    assert len(list(folder.iterdir())) == 2


def test_nothing_is_written_where_nothing_is_told(tmp_path: Path) -> None:
    ExperimentEvents(tmp_path)
    SweepEvents(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_search_space_may_ask_for_event_files(sweep: Any) -> None:
    assert sweep().tracking.tensorboard is False
    assert sweep(tracking={"tensorboard": True}).tracking.tensorboard is True


def test_without_the_package_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    original = importlib.util.find_spec

    def missing(name: str, *rest: Any) -> Any:
        return None if name == "tensorboard" else original(name, *rest)

    monkeypatch.setattr(sections, "find_spec", missing)
    with pytest.raises(ValidationError, match=r"pip install 'sleepsweep\[tensorboard\]'"):
        TrackingSpec(tensorboard=True)
    assert TrackingSpec().tensorboard is False
