"""An experiment in MLflow: one run, whatever is repeated; a failing server delays nothing."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from sleepsweep.experiment.folder import FILES, ExperimentFolder, files_of
from sleepsweep.experiment.spec import STAGES, Stage
from sleepsweep.tracking import database_uri
from sleepsweep.tracking import experiment as tracking
from sleepsweep.tracking.experiment import ExperimentTracker

CLOSED = "http://127.0.0.1:9"


@pytest.fixture
def copied(whole: tuple[ExperimentFolder, Any], tmp_path: Path) -> ExperimentFolder:
    """The folder of an experiment that is done, which nothing has been logged of."""
    return ExperimentFolder(Path(shutil.copytree(whole[0].path, tmp_path / "tiny")))


@pytest.fixture
def heard(whole: tuple[ExperimentFolder, Any]) -> Any:
    return whole[1]


def tell(tracker: ExperimentTracker, heard: Any, stages: Iterable[Stage]) -> None:
    """Tell the tracker what was heard of some stages."""
    for stage in stages:
        tracker.stage_started(stage)
        for told, step, values in heard.told:
            if told == stage:
                tracker.stage_told(stage, step, values)
        tracker.stage_ended(stage, heard.found[stage])


def runs(folder: ExperimentFolder) -> tuple[MlflowClient, list[Any]]:
    client = MlflowClient(tracking_uri=database_uri(folder.path))
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    return client, list(client.search_runs([experiment.experiment_id]))


def artifacts(client: MlflowClient, run: str, below: str | None = None) -> set[str]:
    found: set[str] = set()
    for item in client.list_artifacts(run, below):
        found |= artifacts(client, run, item.path) if item.is_dir else {item.path}
    return found


def test_an_experiment_is_one_run_and_a_stage_that_is_repeated_adds_to_it(
    copied: ExperimentFolder, heard: Any
) -> None:
    tracker = ExperimentTracker(copied, None)
    tell(tracker, heard, STAGES)
    assert tracker.close(complete=True) is None
    client, (run,) = runs(copied)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "tiny")
    assert run.data.tags["kind"] == "experiment"
    assert run.data.tags["sleepsweep.experiment"] == copied.read_manifest()["id"]
    assert run.data.tags["pretrain.ended"] == "complete"
    assert run.data.params["pretrain.steps"] == "4"
    assert run.data.params["encoder.latent_dim"] == "16"
    assert "TimeWarping" in run.data.params["policy"]
    for stage, key, steps in (("pretrain", "validation_loss", [2, 4]), ("finetune", "loss", [4])):
        history = client.get_metric_history(run.info.run_id, f"{stage}.{key}")
        told = {step: values[key] for name, step, values in heard.told if name == stage}
        points = {point.step: point.value for point in history if point.step}
        assert list(points) == steps
        assert points == pytest.approx(told)
    for stage, found in heard.found.items():
        for key, value in found.items():
            if not isinstance(value, str) and value == value and key != "loss":
                assert f"{stage}.{key}" in run.data.metrics
    kappa = heard.found["test"]["probe.kappa"]
    assert run.data.metrics["test.probe.kappa"] == pytest.approx(kappa)
    attached = artifacts(client, run.info.run_id)
    for stage in FILES:
        files = {str(path.relative_to(copied.path)) for path in files_of(copied.path, stage)}
        assert files
        assert files <= attached
    assert {"index.html", "experiment.json"} <= attached

    again = ExperimentTracker(copied, None)
    tell(again, heard, ["latent"])
    assert again.close(complete=False) is None
    client, found = runs(copied)
    assert [one.info.run_id for one in found] == [run.info.run_id]
    assert found[0].info.status == "KILLED"
    history = client.get_metric_history(run.info.run_id, "pretrain.validation_loss")
    assert [point.step for point in history if point.step] == [2, 4]


def test_another_experiment_is_another_run(
    copied: ExperimentFolder, heard: Any, tmp_path: Path
) -> None:
    uri = database_uri(tmp_path)
    for _ in range(2):
        tracker = ExperimentTracker(copied, uri)
        assert tracker.close(complete=True) is None
        manifest = copied.manifest_path
        manifest.write_text(manifest.read_text().replace('"id": "', '"id": "f'))
    client = MlflowClient(tracking_uri=uri)
    experiments = [e.experiment_id for e in client.search_experiments()]
    assert len(client.search_runs(experiments)) == 2


def test_a_server_that_is_down_delays_nothing_and_it_is_said_what_is_missing(
    copied: ExperimentFolder, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "PATIENCE_S", 0.3)
    tracker = ExperimentTracker(copied, CLOSED)
    # More than the outbox could try in the time that the test may take, were it waited for.
    for step in range(2000):
        tracker.stage_told("pretrain", step, {"loss": 1.0})
    missing = tracker.close(complete=True)
    assert missing is not None
    # The run, the checks, two files and the end.
    assert missing.startswith(f"MLflow ({CLOSED}) is still without 2004 entries: ")
    assert "\n" not in missing


def test_an_experiment_that_is_refused_at_once_has_no_page_to_wait_for(
    copied: ExperimentFolder,
) -> None:
    (copied.path / "index.html").unlink()
    tracker = ExperimentTracker(copied, None)
    assert tracker.close(complete=False) is None
    _, (run,) = runs(copied)
    assert run.info.status == "KILLED"
