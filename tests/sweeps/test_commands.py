"""A sweep is launched, extended, stopped, continued, confirmed and exported by its commands."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.results import ResultsTable
from sleepsweep.tracking import database_uri

COMPLETE, BAD_INPUT, INCOMPLETE = 0, 2, 3
CHANGES: dict[str, Any] = {
    "data": {"simulated": {"subjects": 6}},
    "split": {"test": 0.34},
    "search": {"trials": 5, "anchors": 0.6},
    "scheduler": {"grace_steps": 2},
    "confirm": {"top": 1, "blocks": 2},
}


# Several launches in each: on a busy machine more than the default.
pytestmark = pytest.mark.timeout(1200)


def sleepsweep(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sleepsweep", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def sweep(
    write_space: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The search space's file, and the folder of its finished sweep."""
    folder = tmp_path_factory.mktemp("s")
    space, out = write_space(folder, **CHANGES), folder / "tiny"
    ended = sleepsweep("launch", space, "--out", out, "--quiet")
    assert ended.returncode == COMPLETE, ended.stderr
    return space, out


def test_more_trials_are_refused_by_launch_and_added_by_extend(sweep: tuple[Path, Path]) -> None:
    space, out = sweep
    before = set(ResultsTable.read(out).trials["trial"])
    refused = sleepsweep("launch", space, "--out", out, "--trials", "60")
    assert refused.returncode == BAD_INPUT
    assert f"sleepsweep extend {out} --trials 55" in refused.stderr
    command = [sys.executable, "-m", "sleepsweep", "extend", str(out), "--trials", "55", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "rung"
    running = json.loads(sleepsweep("status", out, "--json").stdout)
    assert running["pid"] == process.pid
    assert running["planned"] == 61
    stopped = sleepsweep("stop", out)
    assert stopped.returncode == INCOMPLETE, stopped.stderr
    assert f"sleepsweep launch {space}" in stopped.stdout
    _, errors = process.communicate(timeout=120)
    assert process.returncode == INCOMPLETE, errors
    assert f"To go on: sleepsweep launch {space}" in errors
    ran = ResultsTable.read(out).trials
    assert before < set(ran["trial"])


def test_a_launch_that_has_not_begun_to_train_is_stopped_too(
    sweep: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "early"
    command = [sys.executable, "-m", "sleepsweep", "launch", str(sweep[0]), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    folder = SweepFolder(out)
    until = time.monotonic() + 120
    while not folder.manifest_path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert folder.lock.interrupt() == process.pid
    _, errors = process.communicate(timeout=120)
    assert process.returncode == INCOMPLETE, errors
    assert "To go on: sleepsweep launch" in errors
    assert "Traceback" not in errors


def test_a_confirmation_reads_the_test_subjects_and_is_not_run_twice(
    sweep: tuple[Path, Path],
) -> None:
    _, out = sweep
    test = set(json.loads((out / "sweep.json").read_text())["test_subjects"])
    ended = sleepsweep("confirm", out)
    assert ended.returncode == COMPLETE, ended.stderr
    assert "Confirmation: macro-F1 of 2 test subjects" in ended.stdout
    table = ResultsTable.read(out)
    rows = table.trials[table.trials["kind"] == "confirmation"]
    assert set(rows["decision"]) == {"done"}
    assert set(rows["selected_on"]) == {"test"}
    assert (rows.groupby("policy")["block"].nunique() == 2).all()
    scored = table.subjects[table.subjects["trial"].isin(rows["trial"])]
    assert set(scored["subject"]) == test
    others = table.subjects[~table.subjects["trial"].isin(rows["trial"])]
    assert not test & set(others["subject"])
    client = MlflowClient(tracking_uri=database_uri(out))
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.kind = 'confirmation'")
    assert {run.data.tags["sleepsweep.trial"] for run in runs} == set(rows["trial"])
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert (out / "report" / "tables" / "confirmation.csv").is_file()
    opened = json.loads((out / "sweep.json").read_text())["test_opened"]
    again = sleepsweep("confirm", out)
    assert "All of it has been run before" in again.stdout
    assert json.loads((out / "sweep.json").read_text())["test_opened"] == opened
    assert len(opened) == 1
    assert opened[0]["command"] == f"sleepsweep confirm {out}"


def test_the_winner_is_exported_and_said_to_be_confirmed(sweep: tuple[Path, Path]) -> None:
    _, out = sweep
    ended = sleepsweep("policy", "export", out)
    assert ended.returncode == COMPLETE, ended.stderr
    assert "The best confirmed policy" in ended.stdout
    assert {path.name for path in (out / "policy").iterdir()} == {"policy.yaml", "policy.py"}
    trial = ResultsTable.read(out).trials["trial"].iloc[0]
    named = sleepsweep("policy", "export", out, "--trial", trial, "--out", out / "other")
    assert named.returncode == COMPLETE
    unknown = sleepsweep("policy", "export", out, "--trial", "x")
    assert unknown.returncode == BAD_INPUT
    assert "holds no such trial" in unknown.stderr


def test_stop_where_nothing_runs_says_so(sweep: tuple[Path, Path], tmp_path: Path) -> None:
    assert "Nothing is running" in sleepsweep("stop", sweep[1]).stdout
    for name in ("stop", "status", "confirm"):
        ended = sleepsweep(name, tmp_path / "none")
        assert ended.returncode == BAD_INPUT
        assert "holds no sweep" in ended.stderr
        assert not (tmp_path / "none").exists()
