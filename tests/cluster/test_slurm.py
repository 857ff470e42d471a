"""On a real Slurm of two nodes, each with a network and a host name of its own.

``$SLEEPSWEEP_MINI_SLURM`` names the script that starts and ends it (``up``, ``down``, ``crash N``,
``boot N``); it needs root.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml

from sleepsweep.cluster.slurm.controller import Job, look_up
from sleepsweep.cluster.slurm.jobs import Jobs

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

SCRIPT = os.environ.get("SLEEPSWEEP_MINI_SLURM", "")
TREE: dict[str, Any] = {
    "name": "tiny",
    "data": {"simulated": {"subjects": 5}},
    "split": {"blocks": 1, "test": 0.2, "validation": 0.25},
    "encoder": {"latent_dim": 16},
    "pretrain": {"batch_size": 16, "steps": 4},
    "probe": {"epochs_per_subject": 40},
    "augmentations": {
        "size": [0, 2],
        "pool": {
            "RandomDCShift": {"severity": {"uniform": [0.1, 1.0]}},
            "SignFlip": {"p": {"uniform": [0.3, 1.0]}},
        },
    },
    "search": {"trials": 8, "designs": ["none"], "baselines": False},
    "scheduler": {"name": "none", "grace_steps": 1, "factor": 2},
}


@pytest.fixture(scope="module")
def slurm() -> Iterator[None]:
    if not SCRIPT or os.getuid() != 0:
        pytest.skip("needs root, and SLEEPSWEEP_MINI_SLURM: a script that starts a real Slurm")
    # Its daemons want a folder that everybody may enter, which pytest's own are not.
    folder = Path(tempfile.mkdtemp(prefix="ms"))
    folder.chmod(0o755)
    # Enough processors for two jobs at a time; the host's own are shared by all.
    os.environ |= {"MINI_SLURM_DIR": str(folder), "MINI_SLURM_CPUS": "4",
                   "MINI_SLURM_GPUS": "1"}  # fmt: skip
    # The nodes share the host's /tmp, and have a /tmp/ray of their own.
    profile = folder / "slurm.yaml"
    profile.write_text("scratch: /tmp/ray\n")
    os.environ["SLEEPSWEEP_SLURM"] = str(profile)
    up = subprocess.run([SCRIPT, "up"], capture_output=True, text=True)
    if up.returncode:
        pytest.skip(f"Slurm cannot be started here: {up.stderr.strip()[-200:]}")
    yield
    mini_slurm("down")
    del os.environ["SLEEPSWEEP_SLURM"]
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def space(tmp_path: Path) -> Path:
    return written(tmp_path)


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump({**TREE, **changes}))
    return path


def command(*words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "sleepsweep", "slurm", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True)


def submitted(space: Path, out: Path, *options: object) -> int:
    done = command("submit", space, "--out", out, "--nodes", 2, "--cpus-per-task", 2, *options)
    assert done.returncode == 0, done.stderr
    return Jobs(out).newest()


def ended(number: int, out: Path, patience_s: float = 600) -> Job:
    until = time.monotonic() + patience_s
    while not (job := look_up(number)).has_ended:
        assert time.monotonic() < until, Jobs(out).log(number).read_text()
        time.sleep(1)
    return job


def mini_slurm(*words: object) -> str:
    line = [SCRIPT, *map(str, words)]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout


def wait_until(met: Callable[[], bool], out: Path, number: int, patience_s: float = 300) -> None:
    until = time.monotonic() + patience_s
    while not met():
        assert time.monotonic() < until, Jobs(out).log(number).read_text()
        time.sleep(0.5)


def rungs_of(out: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in out.glob("trials/*/rungs.jsonl")}


def table_of(out: Path) -> pd.DataFrame:
    return pd.read_parquet(out / "trials.parquet")


def planned(out: Path) -> int:
    manifest = yaml.safe_load((out / "sweep.json").read_text())
    return int(manifest["study"]["planned_trials"])


def test_a_job_completes_a_sweep_on_both_nodes(slurm: None, tmp_path: Path) -> None:
    # Trials that last longer than the other node takes to start its workers.
    space = written(tmp_path, pretrain={"batch_size": 64, "steps": 80})
    out = tmp_path / "out"
    number = submitted(space, out, "--time", 15)
    job = ended(number, out)
    log = Jobs(out).log(number).read_text()
    assert (job.state, job.status) == ("COMPLETED", 0), log
    table = table_of(out)
    assert set(table["host"]) == {"node1", "node2"}
    assert table["trial"].nunique() == planned(out) == 9
    token = re.compile(r"\b[0-9a-f]{64}\b")
    assert not token.search(log)
    said = command("status", out)
    assert "COMPLETED" in said.stdout
    assert "complete" in command("logs", out).stdout or "status 0" in command("logs", out).stdout
    # No node keeps anything of Ray.
    assert [mini_slurm("exec", node, "ls", "/tmp/ray") for node in (1, 2)] == ["", ""]


@pytest.mark.timeout(1300)
def test_before_its_limit_a_job_saves_queues_again_and_loses_nothing(
    slurm: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Trials that are long enough for two limits of two minutes.
    space = written(tmp_path, pretrain={"batch_size": 64, "steps": 180})
    out = tmp_path / "out"
    profile = tmp_path / "slurm.yaml"
    profile.write_text("signal_s: 20\nscratch: /tmp/ray\n")
    monkeypatch.setenv("SLEEPSWEEP_SLURM", str(profile))
    number = submitted(space, out, "--time", 2)
    job = ended(number, out, 1200)
    log = Jobs(out).log(number).read_text()
    assert (job.state, job.status) == ("COMPLETED", 0), log
    assert job.starts >= 3, log
    table = table_of(out)
    assert table["trial"].nunique() == planned(out)
    assert not table.duplicated(["trial", "rung"]).any()


def test_a_cancelled_job_ends_soon_and_a_new_one_goes_on(slurm: None, tmp_path: Path) -> None:
    space = written(tmp_path, pretrain={"batch_size": 64, "steps": 80})
    out = tmp_path / "out"
    number = submitted(space, out, "--time", 15)
    wait_until(lambda: bool(rungs_of(out)), out, number)
    before = rungs_of(out)
    started = time.monotonic()
    assert command("cancel", out).returncode == 0
    job = ended(number, out, 60)
    assert time.monotonic() - started < 15
    assert job.state == "CANCELLED"
    again = ended(submitted(space, out, "--time", 15), out)
    assert (again.state, again.status) == ("COMPLETED", 0)
    for path, text in before.items():
        assert path.read_text().startswith(text)


def test_a_mistake_gives_the_job_its_status(slurm: None, tmp_path: Path) -> None:
    out = tmp_path / "out"
    space = written(tmp_path, data={"source": "npz", "root": str(tmp_path / "nowhere")})
    job = ended(submitted(space, out, "--time", 5), out)
    assert (job.state, job.status) == ("FAILED", 2)
    assert "nowhere" in command("logs", out).stdout


def test_a_crashed_worker_node_costs_no_finished_trial(slurm: None, tmp_path: Path) -> None:
    space = written(tmp_path, pretrain={"batch_size": 64, "steps": 80})
    out = tmp_path / "out"
    number = submitted(space, out, "--time", 15)
    finished: dict[Path, str] = {}

    def some_are_done() -> bool:
        finished.update({path: text for path, text in rungs_of(out).items() if '"done"' in text})
        return len(finished) >= 2

    wait_until(some_are_done, out, number)
    mini_slurm("crash", 2)
    try:
        job = ended(number, out)
    finally:
        mini_slurm("boot", 2)
    assert (job.state, job.status) == ("COMPLETED", 0), Jobs(out).log(number).read_text()
    for path, text in finished.items():
        assert path.read_text() == text
    table = table_of(out)
    assert table["trial"].nunique() == planned(out)
    assert not table.duplicated(["trial", "rung"]).any()


def test_trials_that_fail_give_the_job_their_status(slurm: None, tmp_path: Path) -> None:
    # On a path that nodes see: an encoder of the user's own, which takes no 8 dimensions.
    (tmp_path / "fragile.py").write_text(FRAGILE)
    encoder = {"name": "fragile.Fragile", "latent_dim": {"choice": [8, 16]}}
    out = tmp_path / "out"
    space = written(tmp_path, encoder=encoder)
    paths = f"export PYTHONPATH={tmp_path}:${{PYTHONPATH:-}}"
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = f"{tmp_path}:{before}"
    try:
        number = submitted(space, out, "--time", 15, "--env-setup", paths)
    finally:
        os.environ["PYTHONPATH"] = before
    job = ended(number, out)
    assert (job.state, job.status) == ("FAILED", 4), Jobs(out).log(number).read_text()
    errors = [path.read_text() for path in out.glob("trials/*/error.txt")]
    assert 0 < len(errors) < planned(out)
    assert all("no eight dimensions" in error for error in errors)


FRAGILE = """
from torch import nn

class Fragile(nn.Module):
    def __init__(self, channels, latent_dim, dropout):
        super().__init__()
        if latent_dim == 8:
            raise RuntimeError("no eight dimensions")
        self.layers = nn.Sequential(nn.AdaptiveAvgPool1d(50), nn.Flatten(),
                                    nn.Linear(50 * channels, latent_dim))

    def forward(self, epochs):
        return self.layers(epochs)
"""


def test_two_sweeps_on_the_same_nodes_both_complete(
    slurm: None, space: Path, tmp_path: Path
) -> None:
    outs = [tmp_path / "one", tmp_path / "two"]
    numbers = [submitted(space, out, "--time", 15) for out in outs]
    together = False
    while not all(look_up(number).has_ended for number in numbers):
        together |= all(look_up(number).state == "RUNNING" for number in numbers)
        time.sleep(1)
    jobs = [ended(number, out) for number, out in zip(numbers, outs, strict=True)]
    assert together
    for job, out in zip(jobs, outs, strict=True):
        assert (job.state, job.status) == ("COMPLETED", 0), Jobs(out).log(job.number).read_text()
        assert table_of(out)["trial"].nunique() == planned(out)
    one, two = (table_of(out).set_index(["order", "rung"]).sort_index() for out in outs)
    pd.testing.assert_frame_equal(*(t.drop(columns=OF_THE_MACHINE) for t in (one, two)))


OF_THE_MACHINE = ["time_s", "host"]


def test_an_array_makes_the_same_table_as_ray(slurm: None, space: Path, tmp_path: Path) -> None:
    by_array, on_ray = tmp_path / "array", tmp_path / "ray"
    submit = ["submit", space, "--out", by_array, "--time", 15, "--array"]
    done = command(*submit, "--wait")
    assert done.returncode == 0, done.stderr
    array, end = (look_up(number) for number in Jobs(by_array).numbers())
    assert (array.state, end.state) == ("COMPLETED", "COMPLETED")
    assert len(list((by_array / "slurm").glob(f"{array.number}_*.log"))) == planned(by_array)
    assert "done" in command("logs", by_array, "--job", f"{array.number}_0").stdout
    assert ended(submitted(space, on_ray, "--time", 15), on_ray).status == 0
    one, two = (table_of(out).set_index(["order", "rung"]).sort_index()
                for out in (by_array, on_ray))  # fmt: skip
    assert set(one["host"]) == {"node1", "node2"}
    pd.testing.assert_frame_equal(*(t.drop(columns=OF_THE_MACHINE) for t in (one, two)))
    assert (by_array / "report").is_dir()


@pytest.mark.skipif(torch.version.cuda is not None, reason="torch is built with CUDA")
def test_gpus_reach_ray_and_a_torch_that_cannot_use_them_is_named(
    slurm: None, tmp_path: Path
) -> None:
    """Slurm's GPUs are files without a device here, but Slurm and Ray count them."""
    out = tmp_path / "out"
    space = written(tmp_path, resources={"gpus_per_trial": 0.5})
    job = ended(submitted(space, out, "--time", 5, "--gpus-per-node", 1), out)
    assert (job.state, job.status) == ("FAILED", 2)
    said = command("logs", out).stdout
    assert re.search(r"node1 has GPUs, and torch .* built without CUDA; node2 has GPUs", said)
