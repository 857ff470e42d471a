"""The benchmarks of scale: what is read on the way of a sweep, and small runs."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import growth, scale

ROOT = Path(__file__).parents[2]


class _Record:
    is_finished = True


def test_each_mark_has_twice_the_trials_of_the_one_before() -> None:
    assert scale.marks(2000) == [250, 500, 1000, 2000]


def test_the_meter_reads_what_has_been_since_the_mark_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = {"wall": 100.0, "driver": 10.0}
    monkeypatch.setattr(scale, "time", SimpleNamespace(
        perf_counter=lambda: clock["wall"], thread_time=lambda: clock["driver"]))  # fmt: skip
    tracker: Any = SimpleNamespace(waiting=3)
    meter, record = scale.Meter([1, 3], tracker), _Record()
    meter.trial_started(record)  # type: ignore[arg-type]
    for _ in range(3):
        clock["wall"] += 2.0
        clock["driver"] += 0.5
        meter.rung_reported(record, {})  # type: ignore[arg-type]
    assert [row["trials"] for row in meter.rows] == [1, 3]
    assert [row["s_a_trial"] for row in meter.rows] == [2.0, 2.0]
    assert [row["driver_ms_a_report"] for row in meter.rows] == [500.0, 500.0]
    assert meter.rows[-1]["behind"] == 3


@pytest.mark.slow
def test_parts_are_timed_after_a_sweep_that_has_ended() -> None:
    few, more = growth.measure(20), growth.measure(60)
    assert min(*few.values(), *more.values()) > 0
    text = growth.markdown({20: few, 60: more})
    assert text.count("\n") == 1 + len(few)
    assert "| times, of 3 times the trials |" in text


@pytest.mark.slow
def test_made_up_trials_of_a_sweep_have_ended_and_differ() -> None:
    sweep = growth.Sweep.after(12)
    assert {record.state for record in sweep.records} == {"done"}
    assert len({record.trial.id for record in sweep.records}) == 12
    assert sweep.begun.state == "running"
    assert all(record.suggestion for record in sweep.records)


@pytest.mark.slow
def test_a_sweep_runs_on_a_cluster_of_two_nodes() -> None:
    command = [sys.executable, "-m", "benchmarks.scale", "--trials", "16", "--nodes", "2",
               "--concurrent", "2"]  # fmt: skip
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    results = json.loads(run.stdout.splitlines()[-1])
    assert [row["trials"] for row in results["rows"]] == [2, 4, 8, 16]
    assert all(row["driver_ms_a_report"] > 0 for row in results["rows"])
    assert "2 nodes, 2 trials at a time, 2 reports each." in run.stdout
