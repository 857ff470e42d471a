import json
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from sleepsweep.errors import UserError
from sleepsweep.plan import Plan
from sleepsweep.sweepfolder import TrialRecord
from sleepsweep.tracking import Tracker, database_uri, ui_address
from sleepsweep.tracking.server import ui_command


def record(plan: Plan, order: int = 3) -> TrialRecord:
    slot = plan.slots[order]
    assert slot.trial is not None
    return TrialRecord(slot.order, slot.kind, slot.design, slot.trial)


def rung(number: int, decision: str, **scores: float) -> dict[str, Any]:
    return {
        "rung": number, "step": 2**number, "decision": decision, "recorded_ms": 1000 + number,
        "macro_f1": 0.5, "f1.N1": float("nan"), "confusions": {"sim000": [[1] * 5] * 5}, **scores,
    }  # fmt: skip


def report(tracker: Tracker, trial: TrialRecord, row: dict[str, Any]) -> None:
    trial.rows.append(row)
    tracker.rung_reported(trial, row)


def runs(plan: Plan, folder: Path) -> tuple[MlflowClient, list[Any]]:
    client = MlflowClient(tracking_uri=database_uri(folder))
    experiment = client.get_experiment_by_name(plan.spec.name)
    assert experiment is not None
    return client, list(client.search_runs([experiment.experiment_id]))


def tracker_of(plan: Plan, folder: Path) -> Tracker:
    return Tracker(plan.spec, folder, "sweep-id", plan.categories)


def test_a_trial_is_a_child_run_with_its_rungs_by_step(plan: Plan, tmp_path: Path) -> None:
    tracker, trial = tracker_of(plan, tmp_path), record(plan)
    tracker.trial_started(trial)
    report(tracker, trial, rung(0, "continue", macro_f1=0.4))
    report(tracker, trial, rung(1, "stop", macro_f1=0.6))
    assert tracker.close(complete=True) == []
    client, found = runs(plan, tmp_path)
    child = next(run for run in found if "sleepsweep.trial" in run.data.tags)
    parent = next(run for run in found if run is not child)
    assert (child.info.status, parent.info.status) == ("FINISHED", "FINISHED")
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert child.data.tags["sleepsweep.trial"] == trial.trial.id
    assert child.data.tags["decision"] == "stop"
    assert child.data.tags["categories"] == "frequency, temporal"
    assert child.data.params["severity.TailoredMixup"] == "0.5"
    assert child.data.params["n_segments.Permutation"] == "4"
    history = client.get_metric_history(child.info.run_id, "macro_f1")
    assert [(m.step, m.value) for m in history] == [(1, 0.4), (2, 0.6)]
    assert "f1.N1" not in child.data.metrics
    artifacts = {item.path for item in client.list_artifacts(child.info.run_id)}
    assert artifacts == {"trial.json", "confusions"}
    assert len(client.list_artifacts(child.info.run_id, "confusions")) == 2


def test_an_interrupted_sweep_continues_its_runs(plan: Plan, tmp_path: Path) -> None:
    tracker, trial = tracker_of(plan, tmp_path), record(plan)
    tracker.trial_started(trial)
    report(tracker, trial, rung(0, "continue"))
    assert tracker.close(complete=False) == []
    _, found = runs(plan, tmp_path)
    assert {run.info.status for run in found} == {"KILLED"}

    # A rung that was recorded in the folder but not in MLflow, and a trial that is missing there.
    trial.rows.append(rung(1, "continue"))
    missing = record(plan, 6)
    missing.rows.append(rung(0, "stop"))
    again = tracker_of(plan, tmp_path)
    again.catch_up([trial, missing])
    again.trial_started(trial)
    report(again, trial, rung(2, "done"))
    assert again.close(complete=True) == []
    client, found = runs(plan, tmp_path)
    assert len(found) == 3
    assert {run.info.status for run in found} == {"FINISHED"}
    child = next(r for r in found if r.data.tags.get("sleepsweep.trial") == trial.trial.id)
    history = client.get_metric_history(child.info.run_id, "macro_f1")
    assert [metric.step for metric in history] == [1, 2, 4]


def test_a_failed_trial_is_a_failed_run_with_its_error(plan: Plan, tmp_path: Path) -> None:
    tracker, trial = tracker_of(plan, tmp_path), record(plan)
    tracker.trial_started(trial)
    trial.error = "Traceback\nValueError: no"
    tracker.trial_failed(trial)
    assert tracker.close(complete=True) == []
    client, found = runs(plan, tmp_path)
    child = next(run for run in found if "sleepsweep.trial" in run.data.tags)
    assert child.info.status == "FAILED"
    assert "error.txt" in {item.path for item in client.list_artifacts(child.info.run_id)}


def test_what_could_not_be_logged_is_returned(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker, trial = tracker_of(plan, tmp_path), record(plan)
    monkeypatch.setattr(
        tracker._client, "create_run", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full"))
    )
    tracker.trial_started(trial)
    errors = tracker.close(complete=True)
    assert [str(error) for error in errors] == ["disk full"]


def test_a_half_made_database_is_made_again(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "mlflow.partial").write_bytes(b"half a database")
    assert tracker_of(plan, tmp_path).close(complete=True) == []
    assert not (tmp_path / "mlflow.partial").exists()


def test_the_pages_are_served_on_loopback_and_open_on_the_sweep(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no mlflow.db"):
        ui_address(tmp_path, 5000)
    tracker_of(plan, tmp_path).close(complete=True)
    client, found = runs(plan, tmp_path)
    view = client.get_experiment_by_name(plan.spec.name).tags["mlflow.sharedViewState.sleepsweep"]
    assert json.loads(view)["runsExpanded"] == {found[0].info.run_id: True}
    experiment = found[0].info.experiment_id
    assert f":5001/#/experiments/{experiment}/runs?view" in ui_address(tmp_path, 5001)
    command = ui_command(tmp_path, 5001)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert database_uri(tmp_path) in command
