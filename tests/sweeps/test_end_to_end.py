"""A sweep through the real command, Ray, Optuna, MLflow and the analysis: small, nothing faked."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest
from mlflow import MlflowClient

from sleepsweep.results import ResultsTable
from sleepsweep.tracking import database_uri

COMPLETE, INCOMPLETE, TRIALS_FAILED = 0, 3, 4
TRIALS, RUNGS = 9, (1, 2, 4)


@pytest.fixture(scope="module")
def space(write_space: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    search = {"trials": TRIALS - 1, "anchors": 0.25}
    return write_space(tmp_path_factory.mktemp("space"), search=search)


def command(space: Path, out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "sleepsweep", "launch", str(space), "--out", str(out), *options]


def launch(space: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(space, out, *options), capture_output=True, text=True)


def test_the_default_folder_keeps_checkpoints_and_is_where_the_command_is_run(
    space: Path, tmp_path: Path
) -> None:
    designs = "search.designs=[none, {factorial: {trials: 1}}]"
    settings = [designs, "search.baselines=true", "pretrain.steps=1"]
    options = ["--trials", "0", *(f"--set={setting}" for setting in settings), "--json"]
    ended = subprocess.run(
        [sys.executable, "-m", "sleepsweep", "launch", str(space), *options],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == COMPLETE, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    folder = tmp_path / "runs" / "tiny"
    assert lines[-1] == {"event": "end", "status": 0, "sweep": str(folder), "report": None}
    assert len(list(folder.glob("trials/*/checkpoint.pt"))) == 2
    ended_trials = [line["policy"] for line in lines if line["event"] == "rung"]
    baselines = {policy for policy in ended_trials if policy.startswith("baseline: ")}
    assert len(ended_trials) == len(list(folder.glob("trials/*"))) == 5
    assert baselines == {"baseline: untrained", "baseline: band_powers", "baseline: with_labels"}


@pytest.fixture(scope="module")
def finished(space: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep that ran to its end."""
    out = tmp_path_factory.mktemp("sweep") / "tiny"
    ended = launch(space, out)
    assert ended.returncode == COMPLETE, ended.stderr
    (out / "said.txt").write_text(ended.stdout)
    return out


def logged(folder: Path) -> dict[str, list[int]]:
    """The steps at which each trial's macro-F1 stands in MLflow; checks that no run is open."""
    client = MlflowClient(tracking_uri=database_uri(folder))
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    steps = {}
    for run in client.search_runs([experiment.experiment_id]):
        assert run.info.status in ("FINISHED", "FAILED")
        if "sleepsweep.trial" in run.data.tags:
            trial = run.data.tags["sleepsweep.trial"]
            assert trial not in steps
            history = client.get_metric_history(run.info.run_id, "macro_f1")
            steps[trial] = [metric.step for metric in history]
    return steps


def recorded(table: pd.DataFrame) -> dict[str, list[int]]:
    return {trial: list(rows["step"]) for trial, rows in table.groupby("trial")}


def test_every_rung_of_every_trial_is_in_the_table_and_in_mlflow(finished: Path) -> None:
    table = ResultsTable.read(finished)
    assert table.trials["trial"].nunique() == TRIALS
    assert logged(finished) == recorded(table.trials)
    kinds = Counter(table.trials[table.trials["last"]]["kind"])
    assert kinds == {"design": 1, "anchor": 2, "search": 6}
    assert len(table.subjects) == len(table.trials)
    assert table.trials.groupby("trial")["last"].sum().eq(1).all()


def test_all_that_happened_is_in_the_log(finished: Path) -> None:
    lines = (finished / "log.txt").read_text().splitlines()
    assert "launched by pid" in lines[0]
    table = ResultsTable.read(finished).trials
    assert sum(" rung " in line for line in lines) == len(table)
    assert sum(" started" in line for line in lines) == TRIALS
    assert lines[-1].endswith(" complete")


def test_asha_stopped_some_and_never_an_anchor(finished: Path) -> None:
    last = ResultsTable.read(finished).trials.query("last")
    assert set(last["decision"]) == {"stop", "done"}
    assert set(last.query("kind != 'search'")["decision"]) == {"done"}
    assert (last["step"][last["decision"] == "done"] == RUNGS[-1]).all()


def test_the_ranking_the_report_and_the_mlflow_command_are_printed(finished: Path) -> None:
    said = (finished / "said.txt").read_text()
    page = finished / "report" / "index.html"
    assert "Categories: macro-F1 points" in said
    assert "How many: " in said
    assert str(page) in said
    assert f"sleepsweep ui {finished}" in said
    assert "<html" in page.read_text()
    tables = {path.name for path in (page.parent / "tables").iterdir()}
    assert {"categories.csv", "effects.csv", "effects.tex"} <= tables


def test_the_report_is_attached_to_the_parent_run(finished: Path) -> None:
    client = MlflowClient(tracking_uri=database_uri(finished))
    experiment = client.get_experiment_by_name("tiny")
    parents = client.search_runs([experiment.experiment_id], "tags.kind = 'sweep'")
    assert len(parents) == 1
    names = {item.path for item in client.list_artifacts(parents[0].info.run_id, "report")}
    assert "report/index.html" in names
    assert {"top_category_effect", "warnings_red"} <= set(parents[0].data.metrics)
    assert {"top_category", "size_verdict", "best_policy"} <= set(parents[0].data.tags)


def test_the_sweep_is_reported_again_from_mlflow_alone(finished: Path, tmp_path: Path) -> None:
    uri = database_uri(finished)
    run = [sys.executable, "-m", "sleepsweep", "report", "tiny", "--tracking-uri", uri]
    ended = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == COMPLETE, ended.stderr
    for name in ("categories.csv", "leaderboard.csv"):
        again = (tmp_path / "tiny-report" / "tables" / name).read_text()
        assert again == (finished / "report" / "tables" / name).read_text()


def test_no_trial_saw_a_test_subject(finished: Path) -> None:
    test = set(json.loads((finished / "sweep.json").read_text())["test_subjects"])
    assert len(test) == 1
    for path in finished.glob("trials/*/trial.json"):
        trial = json.loads(path.read_text())["trial"]
        assert not test & {*trial["train"], *trial["validation"]}
        assert not {*trial["validation"]} & {*trial["train"]}


def test_a_sweep_listens_on_loopback_only(space: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(command(space, tmp_path / "sweep", "--json"), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    opened = listening(psutil.Process(process.pid))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert opened
    assert opened <= {"127.0.0.1", "::ffff:127.0.0.1"}


def listening(launch: psutil.Process) -> set[str]:
    """The addresses at which the processes of a launch listen."""
    found = set()
    for process in (launch, *launch.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            sockets = process.net_connections("tcp")
            found |= {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN}
    return found


def test_a_complete_sweep_launched_again_runs_nothing(space: Path, finished: Path) -> None:
    before = ResultsTable.read(finished).trials
    ended = launch(space, finished)
    assert ended.returncode == COMPLETE
    pd.testing.assert_frame_equal(ResultsTable.read(finished).trials, before)
    assert logged(finished) == recorded(before)


def test_a_changed_search_space_is_refused(space: Path, finished: Path) -> None:
    ended = launch(space, finished, "--seed", "5")
    assert ended.returncode == 2
    assert "seed: 0 → 5" in ended.stderr


def test_a_failed_trial_is_listed_and_run_again(space: Path, finished: Path) -> None:
    out = finished.parent / "failing"
    shutil.copytree(finished, out)
    victim = next(iter(out.glob("trials/*/rungs.jsonl"))).parent
    (victim / "rungs.jsonl").unlink()
    state = (victim / "checkpoint.pt").read_bytes()
    (victim / "checkpoint.pt").write_bytes(b"not a checkpoint")
    ended = launch(space, out)
    assert ended.returncode == TRIALS_FAILED
    assert f"trial {victim.name} failed" in ended.stderr
    assert "Error" in (victim / "error.txt").read_text()
    failed = ResultsTable.read(out).trials.query("decision == 'failed'")
    assert list(failed["trial"]) == [victim.name]
    (victim / "checkpoint.pt").write_bytes(state)
    assert launch(space, out).returncode == COMPLETE
    columns = ["trial", "rung", "macro_f1", "loss"]
    pd.testing.assert_frame_equal(
        ResultsTable.read(out).trials[columns], ResultsTable.read(finished).trials[columns]
    )


def test_an_interrupted_sweep_says_how_to_go_on_and_ends_as_if_it_had_not_been(
    space: Path, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "broken"
    process = subprocess.Popen(command(space, out, "--json"), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout is not None
    for _ in range(3):
        assert json.loads(process.stdout.readline())["event"] == "rung"
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == INCOMPLETE, errors
    assert f"To go on: sleepsweep launch {space}" in errors
    assert "Traceback" not in errors
    assert launch(space, out).returncode == COMPLETE
    broken, whole = ResultsTable.read(out).trials, ResultsTable.read(finished).trials
    assert logged(out) == recorded(broken)
    assert set(broken["trial"]) == set(whole["trial"])
    # Asynchronous halving may decide otherwise; what was measured at a rung may not differ.
    both = broken.merge(whole, on=["trial", "rung"], suffixes=("", "_whole"))
    assert len(both) >= TRIALS
    pd.testing.assert_series_equal(both["macro_f1"], both["macro_f1_whole"], check_names=False)
    pd.testing.assert_series_equal(both["loss"], both["loss_whole"], check_names=False)
