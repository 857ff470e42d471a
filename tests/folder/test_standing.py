"""Where a sweep stands, and what is said about it."""

import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.standing import standing
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan
from sleepsweep.terminal.standing import standing_of

NOW = 1_000_000.0
ERROR = """Failure # 1 (occurred at 2026-01-01_00-00-00)
ray::ImplicitFunc.train()
  File "worker.py", line 1, in run
    raise ValueError("first\\nsecond")
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: first
second
"""


@pytest.fixture
def folder(plan: Plan, tmp_path: Path) -> SweepFolder:
    found = SweepFolder(tmp_path)
    found.begin(plan.manifest(), fresh=False)
    return found


def record(plan: Plan, folder: SweepFolder, place: int, *scores: float, ended: str) -> TrialRecord:
    """A trial of the plan that reported these scores, the last one with the decision `ended`."""
    trials = [slot.trial for slot in plan.slots if slot.trial is not None]
    found = TrialRecord(place, "anchor", "", trials[place])
    folder.trial_started(found)
    for rung, score in enumerate(scores):
        last = rung == len(scores) - 1
        row: dict[str, Any] = {
            "rung": rung, "step": 2**rung, "decision": ended if last else "continue",
            "macro_f1": score, "recorded_ms": (NOW - 60 * (3 - rung)) * 1000,
        }  # fmt: skip
        found.rows.append(row)
        folder.rung_reported(found, row)
    return found


def said(folder: SweepFolder) -> str:
    console = Console(width=100, record=True, quiet=False)
    for part in standing_of(standing(folder, NOW), folder):
        console.print(part)
    return console.export_text()


def test_a_sweep_that_has_not_begun(folder: SweepFolder) -> None:
    found = standing(folder, NOW)
    assert found.trials["to come"] == found.planned == 7
    assert (found.pid, found.best, found.rungs, found.report_age_s) == (None, None, [], None)
    assert not found.is_complete
    assert "interrupted" in said(folder)


def test_a_sweep_whose_tasks_are_running_is_not_interrupted(
    plan: Plan, folder: SweepFolder
) -> None:
    files = folder.trial(record(plan, folder, 0, 0.4, ended="continue").trial.id)
    with folder.lock.shared(), files.lock.held():
        assert standing(folder, NOW).pid == os.getpid()
    assert standing(folder, NOW).pid is None


def test_trials_by_state_rungs_and_age(plan: Plan, folder: SweepFolder) -> None:
    record(plan, folder, 0, 0.4, 0.5, 0.6, ended="done")
    record(plan, folder, 1, 0.3, ended="stop")
    record(plan, folder, 2, 0.5, ended="continue")
    found = standing(folder, NOW)
    counts = {"done": 1, "stop": 1, "running": 1, "to come": 4}
    assert {state: count for state, count in found.trials.items() if count} == counts
    assert [rung["reached"] for rung in found.rungs] == [3, 1, 1]
    assert found.rungs[0] == {
        "rung": 0, "step": 1, "reached": 3, "went_on": 2, "stopped": 1, "best_macro_f1": 0.5
    }  # fmt: skip
    assert found.report_age_s == pytest.approx(60.0)
    text = said(folder)
    assert "1 finished, 1 stopped early, 1 running, 4 to come" in text
    assert "last report 1 min ago" in text
    with folder.locked():
        assert "running, pid" in said(folder)


def test_the_best_is_the_one_that_is_best_for_its_block(
    plan: Plan, folder: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Block 1 is easier by 0.2 at the first rung; the higher score there is the smaller gain."""
    records = [
        record(plan, folder, 0, 0.4, 0.50, ended="done"),
        record(plan, folder, 1, 0.6, 0.65, ended="done"),
    ]
    trial = records[1].trial
    records[1].trial = trial.model_validate({**trial.model_dump(), "block": 1})
    monkeypatch.setattr(SweepFolder, "records", lambda self: records)
    best = standing(folder, NOW).best
    assert best is not None
    assert best["trial"] == records[0].trial.id
    assert best["adjusted_macro_f1"] == pytest.approx(0.6)


def test_a_failure_is_told_with_the_first_line_of_its_error(
    plan: Plan, folder: SweepFolder
) -> None:
    failed = record(plan, folder, 0, ended="failed")
    failed.error = ERROR
    folder.trial_failed(failed)
    found = standing(folder, NOW)
    log = str(folder.trial(failed.trial.id).error)
    assert found.failed == [{"trial": failed.trial.id, "error": "ValueError: first", "log": log}]
    assert "ValueError: first" in said(folder)
    folder.set_planned(1)
    assert standing(folder, NOW).is_complete
    assert "complete, but 1 trial failed" in said(folder)


@pytest.mark.parametrize(
    ("error", "line"), [(None, ""), ("Boom", "Boom"), (ERROR, "ValueError: first")]
)
def test_the_first_line_of_an_error(plan: Plan, error: str | None, line: str) -> None:
    trial = plan.slots[0].trial
    assert trial is not None
    assert TrialRecord(0, "design", "none", trial, error=error).error_line == line
