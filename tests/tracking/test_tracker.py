import json
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from sleepsweep.errors import UserError
from sleepsweep.folder.record import TrialRecord
from sleepsweep.plan import Plan
from sleepsweep.tracking import Tracker, database_uri, ui_address
from sleepsweep.tracking.server import connect, ui_command


def record(plan: Plan, order: int = 3) -> TrialRecord:
    slot = plan.slots[order]
    assert slot.trial is not None
    return TrialRecord(slot.order, slot.kind, slot.design, slot.trial)


def rung(number: int, decision: str, **scores: float) -> dict[str, Any]:
    return {
        "rung": number, "step": 2**number, "decision": decision, "recorded_ms": 9000 + number,
        "time_s": 2.0 + number,
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
    return Tracker(folder, {"id": "sweep-id", **plan.manifest()}, None)


def test_a_trial_is_a_child_run_with_its_rungs_by_step(plan: Plan, tmp_path: Path) -> None:
    tracker, trial = tracker_of(plan, tmp_path), record(plan)
    tracker.trial_started(trial)
    report(tracker, trial, rung(0, "continue", macro_f1=0.4))
    report(tracker, trial, rung(1, "stop", macro_f1=0.6))
    assert tracker.close(complete=True) is None
    client, found = runs(plan, tmp_path)
    child = next(run for run in found if "sleepsweep.trial" in run.data.tags)
    parent = next(run for run in found if run is not child)
    assert (child.info.status, parent.info.status) == ("FINISHED", "FINISHED")
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert child.data.tags["sleepsweep.trial"] == trial.trial.id
    assert child.data.tags["decision"] == "stop"
    assert child.data.tags["categories"] == "frequency, temporal"
    assert (child.data.tags["kind"], child.data.tags["order"]) == (trial.kind, str(trial.order))
    assert child.data.params["severity.TailoredMixup"] == "0.5"
    assert child.data.params["severity.RandomDCShift"] == "0.0"
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
    assert tracker.close(complete=False) is None
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
    assert again.close(complete=True) is None
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
    assert tracker.close(complete=True) is None
    client, found = runs(plan, tmp_path)
    child = next(run for run in found if "sleepsweep.trial" in run.data.tags)
    assert child.info.status == "FAILED"
    assert "error.txt" in {item.path for item in client.list_artifacts(child.info.run_id)}


def test_what_could_not_be_logged_is_returned(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("disk full: //me:hidden@host, kept-to-myself\nand more")

    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "kept-to-myself")
    monkeypatch.setattr(MlflowClient, "create_run", full)
    connect(None, tmp_path)  # which takes seconds the first time
    tracker, trial = tracker_of(plan, tmp_path), record(plan)
    tracker.trial_started(trial)
    missing = tracker.close(complete=True, patience_s=2)
    assert missing == (
        "MLflow (its file) is still without 1 of 1 trials and 2 other entries: "
        "disk full: //***@host, ***"
    )


def test_a_sweep_tracked_again_doubles_nothing(plan: Plan, tmp_path: Path) -> None:
    trial = record(plan)
    trial.rows += [rung(0, "continue"), rung(1, "done")]
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "key_results.json").write_text('{"trials": 3.0, "best_policy": "none"}')
    for _ in range(3):
        tracker = tracker_of(plan, tmp_path)
        tracker.catch_up([trial])
        tracker.attach_results()
        assert tracker.close(complete=True) is None
    client, found = runs(plan, tmp_path)
    assert len(found) == 2
    child = next(run for run in found if "sleepsweep.trial" in run.data.tags)
    parent = next(run for run in found if run is not child)
    assert len(client.get_metric_history(child.info.run_id, "macro_f1")) == 2
    assert len(client.get_metric_history(parent.info.run_id, "trials")) == 1
    assert parent.data.tags["best_policy"] == "none"
    # A trial ran when it ran, whenever that is logged.
    assert (child.info.start_time, child.info.end_time) == (7000, 9001)


def test_of_two_runs_of_a_trial_or_a_sweep_the_fuller_one_stays(plan: Plan, tmp_path: Path) -> None:
    trial = record(plan)
    trial.rows.append(rung(0, "done"))
    tracker = tracker_of(plan, tmp_path)
    tracker.catch_up([trial])
    assert tracker.close(complete=True) is None
    client, found = runs(plan, tmp_path)
    # As a server leaves them that did what it was asked after it had been given up.
    for run in found:
        created = ("mlflow.parentRunId", "sleepsweep.trial", "sleepsweep.sweep", "kind")
        tags = {key: value for key, value in run.data.tags.items() if key in created}
        client.create_run(run.info.experiment_id, tags=tags)
    tracker = tracker_of(plan, tmp_path)
    tracker.catch_up([trial])
    assert tracker.close(complete=True) is None
    _, found = runs(plan, tmp_path)
    assert sorted("sleepsweep.trial" in run.data.tags for run in found) == [False, True]
    assert {run.info.status for run in found} == {"FINISHED"}
    assert all(run.data.params for run in found)


def test_a_half_made_database_is_made_again(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "mlflow.partial").write_bytes(b"half a database")
    assert tracker_of(plan, tmp_path).close(complete=True) is None
    assert not (tmp_path / "mlflow.partial").exists()


def test_the_pages_are_served_on_loopback_and_open_on_the_sweep(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no mlflow.db"):
        ui_address(tmp_path, 5000)
    tracker_of(plan, tmp_path).close(complete=True)
    client, found = runs(plan, tmp_path)
    view = client.get_experiment_by_name(plan.spec.name).tags["mlflow.sharedViewState.sleepsweep"]
    assert json.loads(view)["orderByKey"] == "metrics.`macro_f1`"
    experiment = found[0].info.experiment_id
    assert f":5001/#/experiments/{experiment}/runs?view" in ui_address(tmp_path, 5001)
    command = ui_command(tmp_path, 5001)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert database_uri(tmp_path) in command
