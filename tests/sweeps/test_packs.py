"""Sweeps whose trials are packed end as they do unpacked: undisturbed, killed, and with errors.

The launches are the real command's, on Ray, and packs of three on a processor.
"""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cloudpickle
import pandas as pd
import psutil
import pytest
import torch

from benchmarks.server import logged
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.packs import pack, packedworker
from sleepsweep.packs.member import Reached
from sleepsweep.packs.pack import Pack
from sleepsweep.plan import make_plan
from sleepsweep.rayenv import set_ray
from sleepsweep.results import ResultsTable
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.tracking import database_uri
from sleepsweep.worker import Worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

COMPLETE, TRIALS_FAILED = 0, 4
RUNGS = (1, 2, 4)
PACKED = ("--set=resources.pack=3", "--set=resources.concurrent=3")

# Packs cannot import a test by its name.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def command(space: Path, out: Path, *options: str) -> list[str]:
    call = [sys.executable, "-m", "sleepsweep", "launch", str(space), "--out", str(out), "--json"]
    return [*call, *options]


def launch(space: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(space, out, *options), capture_output=True, text=True)


@contextmanager
def launched(space: Path, out: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A launch that is under way, and has reported a rung."""
    process = subprocess.Popen(command(space, out, *options), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "rung"
        yield process
    finally:
        if process.poll() is None:  # a test failed: nothing is left running
            process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def space(write_space: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_space(
        tmp_path_factory.mktemp("packs"),
        data={"simulated": {"subjects": 6}},
        split={"blocks": 2},
        search={"trials": 6, "anchors": 0.4, "baselines": ["untrained"]},
        scheduler={"name": "none"},
    )


@pytest.fixture(scope="module")
def unpacked(space: Path) -> Path:
    """The folder of the sweep, a trial a process."""
    ended = launch(space, space.parent / "unpacked", "--set=resources.concurrent=2")
    assert ended.returncode == COMPLETE, ended.stderr
    return space.parent / "unpacked"


@pytest.fixture(scope="module")
def packed(space: Path) -> Path:
    """The folder of the sweep, packed."""
    ended = launch(space, space.parent / "packed", *PACKED)
    assert ended.returncode == COMPLETE, ended.stderr
    return space.parent / "packed"


def assert_same(one: Path, other: Path) -> None:
    """The same trials, rungs and decisions; what was measured but for rounding, and the time."""
    ours, theirs = ResultsTable.read(one), ResultsTable.read(other)
    same = [c for c in ours.trials if c not in ("sweep", "time_s", "host")]
    pd.testing.assert_frame_equal(ours.trials[same], theirs.trials[same], rtol=1e-5)
    pd.testing.assert_frame_equal(ours.subjects, theirs.subjects)


def test_the_table_is_that_of_the_unpacked_sweep(packed: Path, unpacked: Path) -> None:
    assert_same(packed, unpacked)
    trials = ResultsTable.read(packed).trials
    assert len(trials[trials["kind"] != "baseline"]) == (6 + 2) * len(RUNGS)
    assert (trials["kind"] == "baseline").sum() == 2
    assert (trials["time_s"] > 0).all()


def test_mlflow_has_a_run_a_trial_with_its_own_rungs(packed: Path) -> None:
    sweep = SweepFolder(packed)
    assert logged(database_uri(packed), sweep.read_manifest()["id"]) == {
        record.trial.id: ("FINISHED", [row["step"] for row in record.rows])
        for record in sweep.records()
    }


def test_a_killed_launch_is_continued(space: Path, unpacked: Path) -> None:
    out = space.parent / "killed"
    for _ in range(2):
        with launched(space, out, *PACKED) as process:
            process.send_signal(signal.SIGKILL)
    ended = launch(space, out, *PACKED)
    assert ended.returncode == COMPLETE, ended.stderr
    assert_same(out, unpacked)


def test_the_members_of_a_lost_pack_go_on_from_their_checkpoints(
    space: Path, unpacked: Path
) -> None:
    out = space.parent / "lost"
    with launched(space, out, *PACKED) as process:
        family = psutil.Process(process.pid).children(recursive=True)
        lost = [each for each in family if "ray::Pack" in " ".join(each.cmdline())]
        assert len(lost) == 1
        lost[0].kill()
        _, errors = process.communicate()
        assert process.returncode == COMPLETE, errors
    assert_same(out, unpacked)


def test_members_that_are_stopped_are_replaced(space: Path, unpacked: Path) -> None:
    out = space.parent / "halving"
    ended = launch(space, out, *PACKED, "--set=scheduler.name=asha", "--set=search.anchors=0.0",
                   "--trials", "12")  # fmt: skip
    assert ended.returncode == COMPLETE, ended.stderr
    trials = ResultsTable.read(out).trials
    last = trials[trials["last"]]
    assert len(last) == 12 + 2 + 2
    assert (last["decision"] == "stop").sum() >= 3
    assert set(last["decision"]) == {"stop", "done"}
    assert not trials.duplicated(["trial", "rung"]).any()
    both = trials.merge(ResultsTable.read(unpacked).trials, on=["trial", "rung"])
    assert len(both) >= 2 * len(RUNGS)
    pd.testing.assert_series_equal(both["loss_x"], both["loss_y"], check_names=False)
    pd.testing.assert_series_equal(both["macro_f1_x"], both["macro_f1_y"], check_names=False)


def test_a_member_that_fails_is_listed_and_no_other(
    space: Path, packed: Path, unpacked: Path
) -> None:
    out = space.parent / "failing"
    shutil.copytree(packed, out)
    victims = [path.parent for path in out.glob("trials/*/checkpoint.pt")][:2]
    for victim in victims:
        (victim / "rungs.jsonl").unlink()
    state = (victims[0] / "checkpoint.pt").read_bytes()
    (victims[0] / "checkpoint.pt").write_bytes(b"not a checkpoint")
    ended = launch(space, out, *PACKED)
    assert ended.returncode == TRIALS_FAILED
    (failed,) = [record for record in SweepFolder(out).records() if record.state == "failed"]
    assert failed.trial.id == victims[0].name
    assert "UserError" in failed.error_line
    assert "nothing of it was run" in (failed.error or "")
    assert "load_checkpoint" in (failed.error or "")
    (victims[0] / "checkpoint.pt").write_bytes(state)
    assert launch(space, out, *PACKED).returncode == COMPLETE
    assert_same(out, unpacked)


class CrowdedPack(Pack):
    """A pack on a GPU that has no room for more than two members, and is no GPU."""

    def __init__(self, worker: Worker, places: int) -> None:
        super().__init__(replace(worker, device="cpu"), places)

    async def train(self, trial_id: str, step: int) -> Reached:
        if len(self._members) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return await super().train(trial_id, step)


@pytest.fixture
def on_one_gpu(
    sweep: Callable[..., SweepSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Run a sweep in packs on a machine that only says that it has a GPU; return what was told."""
    set_ray()
    from sleepsweep.sweep import run_sweep

    def run(**resources: int) -> list[str]:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(pack, "Pack", CrowdedPack)
        plan = make_plan(sweep(
            split={"blocks": 2},
            search={"trials": 5, "designs": [], "baselines": False},
            scheduler={"name": "none", "grace_steps": 1, "factor": 2},
            resources={"gpus_per_trial": 1.0, **resources},
        ))  # fmt: skip
        folder, told = SweepFolder(tmp_path / "sweep"), []
        with folder.locked():
            folder.begin(plan.manifest(), fresh=False)
        assert run_sweep(plan, folder, [folder], tell=told.append)
        for record in folder.records():
            assert record.state == "done"
            assert [row["rung"] for row in record.rows] == list(range(len(RUNGS)))
        return told

    return run


def test_packs_are_halved_where_a_gpu_is_full(on_one_gpu: Callable[..., list[str]]) -> None:
    told = on_one_gpu(pack=4)
    assert told == ["A GPU's memory is full: 2 trials on each from now on."]


def test_more_packs_than_there_is_room_for_leave_the_work_to_those_that_start(
    on_one_gpu: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packedworker, "STARTING_S", 1.0)
    assert on_one_gpu(pack=2, concurrent=4) == []
