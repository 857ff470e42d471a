"""Results read back from MLflow: tables of a launch that ended, runs of one that did not."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from sleepsweep.errors import UserError
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.metrics import summary
from sleepsweep.plan import Plan, read_table
from sleepsweep.results import ResultsTable
from sleepsweep.tracking import Tracker, database_uri, read_experiment
from sleepsweep.tracking.runs import TRIAL_TAG

NOT_LOGGED = ["host", "device", "version"]


def _row(rung: int, decision: str, shift: int) -> dict[str, object]:
    matrix = [[9 + shift if row == column else 1 for column in range(5)] for row in range(5)]
    scores = summary(pd.DataFrame(matrix).to_numpy())
    return {
        "rung": rung, "step": 2**rung, "decision": decision, "bracket": 0, "loss": 1.0,
        "time_s": 0.5, "host": "here", "device": "cpu", "version": "0.1", **scores,
        "confusions": {"sim000": matrix}, "recorded_ms": 1000 + rung,
    }  # fmt: skip


@pytest.fixture
def launched(plan: Plan, tmp_path: Path) -> Callable[[], tuple[SweepFolder, Tracker]]:
    """A sweep of three trials, of which one goes on, in its folder and in MLflow."""

    def launch() -> tuple[SweepFolder, Tracker]:
        folder = SweepFolder(tmp_path / "sweep")
        folder.begin(plan.manifest(), fresh=False)
        manifest = folder.read_manifest()
        tracker = Tracker(folder.path, manifest, None)
        ends = (("continue", "done"), ("stop",), ("continue",))
        designed = [slot for slot in plan.slots if slot.trial is not None]
        for slot, decisions in zip(designed, ends, strict=False):
            assert slot.trial is not None
            record = TrialRecord(slot.order, slot.kind, slot.design, slot.trial)
            for observer in (folder, tracker):
                observer.trial_started(record)
            for rung, decision in enumerate(decisions):
                record.rows.append(_row(rung, decision, slot.order + rung))
                for observer in (folder, tracker):
                    observer.rung_reported(record, record.rows[-1])
        return folder, tracker

    return launch


def _same(one: ResultsTable, other: ResultsTable, without: list[str]) -> None:
    pd.testing.assert_frame_equal(
        one.trials.drop(columns=without), other.trials.drop(columns=without)
    )
    pd.testing.assert_frame_equal(one.subjects, other.subjects)
    assert one.study == other.study


def test_a_launch_that_ended_left_its_tables(launched, plan: Plan) -> None:
    folder, tracker = launched()
    table = read_table(folder.path)
    table.write(folder.path)
    tracker.attach_results()
    assert tracker.close(complete=True) is None
    _same(read_experiment(plan.spec.name, database_uri(folder.path)), table, [])


def test_a_launch_that_did_not_end_is_read_from_its_trials(launched, plan: Plan) -> None:
    folder, tracker = launched()
    assert tracker.close(complete=False) is None
    found = read_experiment(plan.spec.name, database_uri(folder.path))
    assert len(found.trials) > 2
    _same(found, read_table(folder.path), NOT_LOGGED)


def test_what_a_server_calls_a_trial_is_no_path(launched, plan: Plan, tmp_path: Path) -> None:
    folder, tracker = launched()
    assert tracker.close(complete=False) is None
    uri = database_uri(folder.path)
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(plan.spec.name)
    assert experiment is not None
    for n, run in enumerate(client.search_runs([experiment.experiment_id])):
        if TRIAL_TAG in run.data.tags:
            client.set_tag(run.info.run_id, TRIAL_TAG, str(tmp_path / f"elsewhere{n}"))
    assert len(read_experiment(plan.spec.name, uri).trials) > 2
    assert not list(tmp_path.glob("elsewhere*"))


def test_key_results_are_metrics_and_tags_of_the_sweep(launched, plan: Plan) -> None:
    folder, tracker = launched()
    (folder.path / "report").mkdir()
    found = {"top_category": "temporal", "top_category_effect": 1.5, "best": "p" * 9000}
    (folder.path / "report" / "key_results.json").write_text(json.dumps(found))
    tracker.attach_results()
    assert tracker.close(complete=True) is None
    client = MlflowClient(tracking_uri=database_uri(folder.path))
    experiment = client.get_experiment_by_name(plan.spec.name)
    assert experiment is not None
    (run,) = client.search_runs(
        [experiment.experiment_id],
        "metrics.top_category_effect > 1 and tags.top_category = 'temporal'",
    )
    assert run.data.tags["kind"] == "sweep"


def test_what_is_not_there_is_said(launched, plan: Plan, tmp_path: Path) -> None:
    folder, tracker = launched()
    tracker.close(complete=True)
    uri = database_uri(folder.path)
    with pytest.raises(UserError, match=r"no experiment 'other'.*It has: .*tiny"):
        read_experiment("other", uri)
    client = MlflowClient(tracking_uri=uri)
    client.create_experiment("bare")
    with pytest.raises(UserError, match="bare: holds no sweep"):
        read_experiment("bare", uri)
    experiment = client.create_experiment("foreign")
    client.create_run(experiment, tags={"kind": "sweep"})
    with pytest.raises(UserError, match="Give the sweep's folder instead"):
        read_experiment("foreign", uri)
    with pytest.raises(UserError, match="no such file"):
        read_experiment("tiny", f"sqlite:///{tmp_path / 'none.db'}")
