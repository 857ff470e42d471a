"""A sweep that is disturbed ends as if it had not been: killed ten times, at random moments and in
every way; beside another one; launched twice at once.

The sweep is a designed one, so that nothing depends on which trial ended first; the launches are
the real command's, on Ray.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import psutil
import pytest

from benchmarks.server import logged
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.results import ResultsTable
from sleepsweep.tracking import database_uri

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

COMPLETE, BAD_INPUT, INCOMPLETE = 0, 2, 3
TRIALS, RUNGS = 24, (1, 2, 4, 8)
KILLS = ["driver"] * 3 + [signal.SIGUSR1] * 2 + [signal.SIGTERM] * 2 + ["worker"] * 3
# Between two kills at most so many rungs are awaited: ten kills meet a sweep that still runs.
MOST_RUNGS = 7
PATIENCE_S = 400


class Launch:
    """A launch of the real command, which says each rung in a file."""

    def __init__(self, space: Path, out: Path) -> None:
        self._said = out.with_suffix(f".{time.monotonic_ns()}")
        command = [sys.executable, "-m", "sleepsweep", "launch", str(space), "--out", str(out)]
        with self._said.open("w") as said:
            self._process = subprocess.Popen(
                [*command, "--json"], stdout=said, stderr=subprocess.PIPE, text=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        if self._process.poll() is None:  # a test failed: nothing is left running
            self._process.kill()
        self._process.communicate()

    def end(self) -> tuple[int, str]:
        """Wait for its end; return the exit status and what it said of errors."""
        _, errors = self._process.communicate(timeout=600)
        return self._process.returncode, errors

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    @property
    def rungs(self) -> int:
        return len(self._said.read_text().splitlines())

    def workers(self) -> list[psutil.Process]:
        """The processes of Ray in which trials run."""
        family = psutil.Process(self._process.pid).children(recursive=True)
        return [process for process in family if _title(process).startswith("ray::")]

    def wait_for(self, rungs: int) -> None:
        """Wait for so many rungs, and for a worker at least if it is none."""
        deadline = time.monotonic() + PATIENCE_S
        while self.rungs < rungs or not (rungs or self.workers()):
            assert self._process.poll() is None, "the sweep had ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def lines(folder: Path) -> dict[str, str]:
    """What is recorded of each trial's rungs, up to the last whole line."""
    texts = {path.parent.name: path.read_text() for path in folder.glob("trials/*/rungs.jsonl")}
    return {trial: text[: text.rfind("\n") + 1] for trial, text in texts.items()}


def finished(folder: Path) -> Iterator[tuple[str, int]]:
    """Each finished trial, and when its state was saved last; a baseline has none."""
    for record in SweepFolder(folder).records():
        checkpoint = SweepFolder(folder).trial(record.trial.id).checkpoint
        if record.is_finished:
            yield record.trial.id, checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0


@pytest.fixture(scope="module")
def space(write_space: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    designs = ["none", {"factorial": {"trials": TRIALS - 2 - 6}}]
    return write_space(
        tmp_path_factory.mktemp("k"),
        data={"simulated": {"subjects": 6}},
        split={"blocks": 2},
        pretrain={"steps": RUNGS[-1]},
        augmentations={"size": [1, 3]},
        search={"trials": 0, "designs": designs, "baselines": True},
        resources={"concurrent": 2},
    )


@pytest.fixture(scope="module")
def whole(space: Path) -> Path:
    """The folder of a sweep that nobody disturbed."""
    with Launch(space, space.parent / "whole") as launch:
        status, errors = launch.end()
        assert status == COMPLETE, errors
        assert launch.rungs == (TRIALS - 6) * len(RUNGS) + 6 + 1  # the last line is the end
    return space.parent / "whole"


@pytest.fixture(scope="module")
def killed(space: Path) -> Path:
    """The folder of a sweep that was killed ten times and launched again after each."""
    random, out = np.random.default_rng(0), space.parent / "killed"
    for place in random.permutation(len(KILLS)):
        with Launch(space, out) as launch:
            rungs = int(random.integers(MOST_RUNGS + 1))
            if rungs or KILLS[place] == "worker":
                launch.wait_for(rungs)
            # Without a rung it lies anywhere before the first trials.
            time.sleep(random.uniform(0, 1.0 if rungs else 6.0))
            before, ended = lines(out), dict(finished(out))
            _kill(launch, KILLS[place], rungs, random)
        now = lines(out)
        assert all(now[trial].startswith(text) for trial, text in before.items())
        assert ended.items() <= dict(finished(out)).items(), "a finished trial was run again"
    with Launch(space, out) as launch:
        status, errors = launch.end()
    assert status == COMPLETE, errors
    return out


def _kill(launch: Launch, kill: Any, rungs: int, random: np.random.Generator) -> None:
    if kill == "worker":
        workers = launch.workers()
        if workers:
            workers[random.integers(len(workers))].kill()
        # Ray starts the trial again by itself; then the launch is ended, to be launched again.
        launch.wait_for(launch.rungs + 2)
        kill = signal.SIGINT
    number = signal.SIGKILL if kill == "driver" else kill
    launch.send(number)
    status, errors = launch.end()
    if number == signal.SIGKILL:
        assert status == -signal.SIGKILL
    elif rungs:
        assert status == INCOMPLETE, errors
        assert "To go on: sleepsweep launch" in errors
    else:
        assert status in (INCOMPLETE, -number), errors
    assert "Traceback" not in errors


def assert_same(one: Path, other: Path) -> None:
    """Bit for bit, but for the time that it took."""
    ours, theirs = ResultsTable.read(one), ResultsTable.read(other)
    same = [c for c in ours.trials if c not in ("sweep", "time_s", "host")]
    pd.testing.assert_frame_equal(ours.trials[same], theirs.trials[same], check_exact=True)
    pd.testing.assert_frame_equal(ours.subjects, theirs.subjects)


def test_exactly_the_planned_trials_with_every_rung_once(killed: Path, whole: Path) -> None:
    trials = ResultsTable.read(killed).trials
    assert trials["trial"].nunique() == TRIALS
    assert not trials.duplicated(["trial", "rung"]).any()
    assert_same(killed, whole)


def test_mlflow_has_one_run_a_trial_and_every_rung_once(killed: Path) -> None:
    sweep = SweepFolder(killed)
    records = sweep.records()
    assert len(records) == TRIALS
    assert logged(database_uri(killed), sweep.read_manifest()["id"]) == {
        record.trial.id: ("FINISHED", [row["step"] for row in record.rows]) for record in records
    }


def test_sweeps_in_two_folders_do_not_disturb_each_other_and_a_folder_has_one_launch(
    space: Path, whole: Path
) -> None:
    folders = space.parent / "one", space.parent / "two"
    with Launch(space, folders[0]) as one, Launch(space, folders[1]) as two:
        one.wait_for(3)
        with Launch(space, folders[0]) as second:
            status, errors = second.end()
            assert status == BAD_INPUT
            assert f"another launch (pid {one.pid}) is running this sweep" in errors
        assert [launch.end()[0] for launch in (one, two)] == [COMPLETE, COMPLETE]
    for folder in folders:
        assert_same(folder, whole)
