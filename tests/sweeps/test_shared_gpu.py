"""Trials that share a GPU, on a machine that only says that it has one."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cloudpickle
import pytest
import torch

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan, make_plan
from sleepsweep.rayenv import set_ray
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trainable import Metrics
from sleepsweep.trial import TrialSpec

FIT = 2
"""So many trials have room on the GPU."""

# Workers cannot import a test by its name.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def crowding(
    trial: TrialSpec, store: Store, checkpoint: Path | None = None, exam: Store | None = None,
    device: str = "cpu",
) -> Iterator[Metrics]:  # fmt: skip
    """Report as a trial does, and find the GPU full where more than `FIT` are at work."""
    assert checkpoint is not None
    at_work = checkpoint.parents[1] / f"at-work.{os.getpid()}"
    at_work.touch()
    confusions = {subject: [[1] * 5] * 5 for subject in trial.validation}
    for rung, step in enumerate(trial.rungs):
        if rung:
            take_memory(at_work.parent)
        yield Metrics(rung, step, 1.0, False, 0.1, confusions)
    at_work.unlink()


def take_memory(folder: Path) -> None:
    """Raise where more than `FIT` are at work; nobody goes on before that has been so once."""
    filled = folder / "filled"
    while True:
        processes = [Path("/proc") / path.suffix[1:] for path in folder.glob("at-work.*")]
        if sum(process.exists() for process in processes) > FIT:
            filled.touch()
            raise torch.OutOfMemoryError("CUDA out of memory.")
        if filled.exists():
            return
        time.sleep(0.05)


def full(
    trial: TrialSpec, store: Store, checkpoint: Path | None = None, exam: Store | None = None,
    device: str = "cpu",
) -> Iterator[Metrics]:  # fmt: skip
    """A trial that has no room even where it is alone."""
    raise torch.OutOfMemoryError("CUDA out of memory.")
    yield


def plan_of(sweep: Callable[..., SweepSpec], gpus: float, trials: int = 6) -> Plan:
    spec = sweep(
        search={"trials": trials, "designs": [], "baselines": False},
        scheduler={"name": "none", "grace_steps": 1, "factor": 2},
        resources={"gpus_per_trial": gpus, "concurrent": 4},
    )
    return make_plan(spec)


def begun(plan: Plan, path: Path) -> SweepFolder:
    folder = SweepFolder(path)
    with folder.locked():
        folder.begin(plan.manifest(), fresh=False)
    return folder


@pytest.mark.slow
def test_a_full_gpu_is_shared_by_fewer_and_no_trial_is_lost(
    sweep: Callable[..., SweepSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_ray()
    from sleepsweep.sweep import run_sweep

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    plan = plan_of(sweep, 0.25)
    folder, told = begun(plan, tmp_path / "sweep"), []
    assert run_sweep(plan, folder, [folder], crowding, told.append)
    assert told == ["A GPU's memory is full: 2 trials on each from now on."]
    records = folder.records()
    assert [record.order for record in records] == list(range(len(plan.slots)))
    for record in records:
        assert record.state == "done"
        assert [row["rung"] for row in record.rows] == list(range(len(record.trial.rungs)))
        assert {row["device"] for row in record.rows} == {"cuda"}


@pytest.mark.slow
def test_a_trial_too_big_for_a_whole_gpu_has_failed(
    sweep: Callable[..., SweepSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_ray()
    from sleepsweep.sweep import run_sweep

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    plan = plan_of(sweep, 1.0, trials=1)
    folder, told = begun(plan, tmp_path / "sweep"), []
    assert run_sweep(plan, folder, [folder], full, told.append)
    assert told == []
    assert {record.state for record in folder.records()} == {"failed"}
    assert "CUDA out of memory" in folder.records()[0].error_line


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_trials_that_want_a_gpu_are_refused_where_there_is_none(
    sweep: Callable[..., SweepSpec], tmp_path: Path
) -> None:
    set_ray()
    from sleepsweep.sweep import run_sweep

    plan = plan_of(sweep, 0.5)
    folder = begun(plan, tmp_path / "sweep")
    with pytest.raises(UserError, match=r"gpus_per_trial is 0\.5, but this machine has no GPU"):
        run_sweep(plan, folder, [folder])
