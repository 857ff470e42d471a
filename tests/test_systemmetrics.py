"""Samples of the machine: taken while a block runs, whole lines only, and logged once each."""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray  # noqa: F401 - brings psutil along where it is not installed by itself
import torch
from mlflow import MlflowClient

from sleepsweep import systemmetrics
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan
from sleepsweep.systemmetrics import read_samples, sampled
from sleepsweep.tracking import Tracker, database_uri


def test_a_block_is_sampled_to_its_end_even_when_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "trials" / "abc" / "system.jsonl"

    def trial() -> None:
        with sampled(path, "cpu", every_s=0.05):
            time.sleep(0.3)
            raise SystemExit  # as Ray ends one

    with pytest.raises(SystemExit):
        trial()
    samples = read_samples(path)
    assert len(samples) >= 2
    assert samples[-1][systemmetrics.TRIAL_MEMORY] > 10
    assert 0 <= samples[-1][systemmetrics.MEMORY_SHARE] <= 100
    with sampled(path, "cpu", every_s=60):
        pass
    assert len(read_samples(path)) == len(samples) + 1


def test_half_a_line_is_not_read_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "system.jsonl"
    path.write_text('{"a": 1}\n{"a":')
    assert read_samples(path) == [{"a": 1}]
    with sampled(path, "cpu", every_s=60):
        pass
    assert len(read_samples(path)) == 2
    assert read_samples(tmp_path / "none.jsonl") == []


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that this process sees, with NVIDIA's library to tell its load."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (3_000_000, 10_000_000))
    monkeypatch.setattr(torch.cuda, "utilization", lambda: 80)
    monkeypatch.setitem(sys.modules, "pynvml", SimpleNamespace(NVMLError=NoLoadError))


class NoLoadError(Exception):
    """As `pynvml.NVMLError`."""


def last_sample(path: Path, device: str) -> dict[str, float]:
    with sampled(path, device, every_s=60):
        pass
    return read_samples(path)[-1]


@pytest.mark.usefixtures("gpu")
def test_a_gpu_is_sampled_where_the_trial_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = last_sample(tmp_path / "with.jsonl", "cuda")
    assert found[systemmetrics.GPU_MEMORY] == 7.0
    assert found[systemmetrics.GPU] == 80.0
    assert systemmetrics.GPU_MEMORY not in last_sample(tmp_path / "without.jsonl", "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert systemmetrics.GPU_MEMORY not in last_sample(tmp_path / "none.jsonl", "cuda")


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("error", [NoLoadError("Not Supported"), RuntimeError("no driver"), None])
def test_a_load_that_cannot_be_told_is_left_out_alone(
    tmp_path: Path, error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def utilization() -> int:
        assert error is not None, "it is not asked where the library is not installed"
        raise error

    monkeypatch.setattr(torch.cuda, "utilization", utilization)
    if error is None:
        monkeypatch.setitem(sys.modules, "pynvml", None)
    found = last_sample(tmp_path / "system.jsonl", "cuda")
    assert found[systemmetrics.GPU_MEMORY] == 7.0
    assert systemmetrics.GPU not in found


def test_samples_are_metrics_of_the_trials_run_and_none_is_there_twice(
    plan: Plan, tmp_path: Path
) -> None:
    slot = plan.slots[0]
    assert slot.trial is not None
    trial = TrialRecord(slot.order, slot.kind, slot.design, slot.trial)
    path = SweepFolder(tmp_path).trial(trial.trial.id).samples
    path.parent.mkdir(parents=True)
    manifest = {"id": "sweep-id", **plan.manifest()}
    for launch in (1, 2):
        with path.open("a") as handle:
            for number in range(300):
                sample = {
                    systemmetrics.TIME: 1000 * launch + number,
                    systemmetrics.CPU: 5.0 + number,
                }
                extra = {f"system/made_up_{key}": 1.0 for key in range(4)}
                handle.write(json.dumps({**sample, **extra}) + "\n")
        tracker = Tracker(tmp_path, manifest, None)
        tracker.trial_started(trial)
        assert tracker.close(complete=False) is None
        client = MlflowClient(tracking_uri=database_uri(tmp_path))
        experiment = client.get_experiment_by_name(plan.spec.name)
        (run,) = client.search_runs([experiment.experiment_id], "tags.kind != 'sweep'")
        points = client.get_metric_history(run.info.run_id, systemmetrics.CPU)
        assert [point.step for point in points] == list(range(300 * launch))
    assert run.info.status == "KILLED"
