"""``sync``: MLflow gets what a launch could not send, once; what cannot be sent is said."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import observed
from benchmarks.server import logged
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan
from sleepsweep.tracking import database_uri
from sleepsweep.tracking.server import open_client

Run = Callable[..., subprocess.CompletedProcess[str]]
TRIALS = 3


@pytest.fixture
def unlogged(plan: Plan, tmp_path: Path) -> SweepFolder:
    """A sweep whose trials stand in its folder only; one of them has not ended."""
    folder = SweepFolder(tmp_path / "sweep")
    folder.begin(plan.manifest(), fresh=False)
    records = observed.made_up_trials(plan, TRIALS)
    observed.run(records, [folder], rung_s=0)
    last = folder.trial(records[-1].trial.id).rungs
    last.write_text("".join(last.read_text().splitlines(keepends=True)[:2]))
    return folder


def test_a_sweep_is_sent_once_and_nothing_is_left_running(
    command_line: Run, unlogged: SweepFolder
) -> None:
    elsewhere = f"sqlite:///{unlogged.path.parent / 'mlflow.db'}"
    for options in ([], [], ["--tracking-uri", elsewhere]):
        ended = command_line("sync", unlogged.path, *options)
        assert ended.returncode == 0, ended.stderr
        assert f"MLflow has all {TRIALS} trials and 10 rungs" in ended.stdout
    statuses = ["FINISHED"] * (TRIALS - 1) + ["KILLED"]
    for uri in (database_uri(unlogged.path), elsewhere):
        found = logged(uri, unlogged.read_manifest()["id"])
        assert found == {
            record.trial.id: (status, [row["step"] for row in record.rows])
            for record, status in zip(unlogged.records(), statuses, strict=True)
        }


def test_a_sweep_that_has_no_rung_yet_has_runs_to_send(
    command_line: Run, plan: Plan, tmp_path: Path
) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    folder.begin(plan.manifest(), fresh=False)
    folder.trial_started(observed.made_up_trials(plan, 1)[0])
    ended = command_line("sync", folder.path)
    assert ended.returncode == 0, ended.stderr
    assert "1 trials and 0 rungs" in ended.stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tracking-uri", "http://127.0.0.1:9"], "does not answer"),
        (["--tracking-uri", "http://me:hidden@127.0.0.1:9"], "MLFLOW_TRACKING_PASSWORD"),
    ],
)
def test_a_server_that_cannot_be_used_is_refused(
    command_line: Run, unlogged: SweepFolder, options: list[str], says: str
) -> None:
    before = set(unlogged.path.rglob("*"))
    ended = command_line("sync", unlogged.path, *options)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "hidden" not in ended.stderr
    assert set(unlogged.path.rglob("*")) == before


def test_what_is_no_sweep_or_runs_is_refused(command_line: Run, unlogged: SweepFolder) -> None:
    ended = command_line("sync", unlogged.path.parent / "none")
    assert (ended.returncode, "holds no sweep" in ended.stderr) == (2, True)
    assert not (unlogged.path.parent / "none").exists()
    with unlogged.locked():
        ended = command_line("sync", unlogged.path)
    assert (ended.returncode, "is running this sweep" in ended.stderr) == (2, True)


def test_a_sweep_that_was_copied_or_moved_keeps_its_artifacts_in_its_folder(
    unlogged: SweepFolder,
) -> None:
    sync(unlogged.path)
    copy, moved = (unlogged.path.with_name(f"50% ä {how}") for how in ("copied", "moved"))
    shutil.copytree(unlogged.path, copy)
    before = files(unlogged.path)
    assert_its_own(copy)
    assert files(unlogged.path) == before
    unlogged.path.rename(moved)
    assert_its_own(moved)
    assert not unlogged.path.exists()


def sync(folder: Path) -> None:
    """In a process of its own: MLflow remembers where the artifacts of a run are."""
    call = [sys.executable, "-m", "sleepsweep", "sync", str(folder)]
    subprocess.run(call, check=True, capture_output=True)


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_its_own(folder: Path) -> None:
    """The artifacts of all runs are in the folder, and new ones get there."""
    (folder / "report").mkdir()
    (folder / "report" / "index.html").write_text("new")
    sync(folder)
    client, artifacts = open_client(database_uri(folder)), folder / "mlflow-artifacts"
    experiment = client.get_experiment_by_name("tiny")
    assert experiment.artifact_location == artifacts.as_uri()
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == TRIALS + 1
    for run in runs:
        own = artifacts / run.info.run_id / "artifacts"
        assert run.info.artifact_uri == own.as_uri()
        assert any(own.iterdir())
    assert len(list(artifacts.glob("*/artifacts/report/index.html"))) == 1
