"""What a person sees while and after a sweep runs, drawn into text."""

import io
import json
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from sleepsweep.folder.record import TrialRecord
from sleepsweep.plan import Plan, make_plan
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.terminal import summary
from sleepsweep.terminal.display import JsonLines, Lines, LiveTable, Silent


def trial(plan: Plan, order: int, *rows: tuple[int, float, str], error: str = "") -> TrialRecord:
    slot = plan.slots[order]
    assert slot.trial is not None
    steps = plan.spec.rungs
    known = [
        {"rung": rung, "step": steps[rung], "macro_f1": score, "decision": decision}
        for rung, score, decision in rows
    ]
    return TrialRecord(slot.order, slot.kind, slot.design, slot.trial, {}, known, error or None)


def console() -> Console:
    return Console(file=io.StringIO(), width=110)


def text(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_the_live_picture_counts_trials_rungs_and_the_best(plan: Plan) -> None:
    screen = console()
    done = trial(plan, 0, (0, 0.4, "continue"), (1, 0.5, "continue"), (2, 0.612, "done"))
    running = trial(plan, 3, (0, 0.7, "continue"))
    live = LiveTable(screen, plan.spec.name, len(plan.slots), plan.spec.rungs, [done])
    live.trial_started(running)
    screen.print(live.picture())
    said = text(screen)
    assert "1 of 7 trials" in said
    assert "1 finished · 1 running" in said
    assert "best so far 61.2" in said
    assert "to step 2  TailoredMixup + Permutation" in said
    assert any(line.split()[1:6] == ["0", "1", "2", "2", "0"] for line in said.splitlines())


def test_the_pace_is_of_this_launch_alone(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [(0, 0.4, "continue"), (1, 0.5, "continue"), (2, 0.6, "done")]
    before, *others = (trial(plan, order, *whole) for order in (0, 3, 6))
    live = LiveTable(console(), plan.spec.name, len(plan.slots), plan.spec.rungs, [before])
    for record in others:
        live.trial_started(record)
    monkeypatch.setattr(live, "_started", time.monotonic() - 4)
    screen = console()
    screen.print(live.picture())
    # Two trials of four steps each in four seconds; four more trials are to come.
    assert "2.0 steps/s, 0 min 04 s so far, about 0 min 08 s left" in text(screen)


def test_a_log_has_a_line_for_each_trial_that_ended(plan: Plan) -> None:
    screen = console()
    lines = Lines(screen, 7, [])
    stopped = trial(plan, 3, (0, 0.4, "stop"))
    lines.rung_reported(stopped, stopped.rows[-1])
    failed = trial(plan, 6, error="Traceback\nValueError: no such thing [/tmp]")
    lines.trial_failed(failed)
    first, second = text(screen).splitlines()
    assert first.startswith("1/7")
    assert "stopped early: macro-F1 40.0 at step 1" in first
    assert "failed: ValueError: no such thing [/tmp]" in second


def test_a_script_reads_a_line_of_json_for_each_rung(
    plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    record = trial(plan, 3, (0, 0.4, "stop"))
    JsonLines().rung_reported(record, {**record.rows[0], "confusions": {}, "f1.N1": float("nan")})
    JsonLines().trial_failed(trial(plan, 6, error="Boom"))
    rung, failed = map(json.loads, capsys.readouterr().out.splitlines())
    assert (rung["event"], rung["trial"], rung["macro_f1"]) == ("rung", record.trial.id, 0.4)
    assert rung["f1.N1"] is None
    assert (failed["event"], failed["error"]) == ("failed", "Boom")


def test_quiet_says_nothing(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    record = trial(plan, 3, (0, 0.4, "stop"))
    with Silent().running():
        Silent().rung_reported(record, record.rows[0])
        Silent().trial_failed(record)
    assert capsys.readouterr().out == ""


def test_the_data_are_described_without_the_test_subjects(plan: Plan) -> None:
    screen = console()
    screen.print(summary.data_summary(plan))
    said = text(screen)
    assert "4 subjects to train and validate on, 1 set aside to test" in said
    counts = [sum(person.epochs[stage] for person in plan.store.summary()) for stage in ("W", "R")]
    assert all(str(count) in said for count in counts)


def test_the_count_of_labelled_subjects_is_printed(sweep: Callable[..., SweepSpec]) -> None:
    screen = console()
    screen.print(summary.data_summary(make_plan(sweep(probe={"label_fraction": 0.34}))))
    assert "Labels are read of 1 of 3 training subjects (label_fraction 0.34)." in text(screen)


def test_the_ranking_is_in_order_and_names_its_reference(plan: Plan) -> None:
    screen = console()
    row: dict[str, Any] = {"low": -1.0, "high": 2.0, "p_best": 0.25, "verdict": "cannot tell"}
    categories = pd.DataFrame(
        [
            {"category": "noise", "effect": -0.4, **row},
            {"category": "masking", "effect": 1.3, **row},
        ]
    )
    sizes = pd.DataFrame(
        [
            {"size": 1, "reference": 1, "trials": 4, "difference": 0.0, "low": 0, "high": 0},
            {"size": 2, "reference": 1, "trials": 3, "difference": 0.5, "low": -1, "high": 2},
        ]
    )
    screen.print(summary.category_table(categories))
    screen.print(summary.size_table(sizes))
    said = text(screen)
    assert said.index("masking") < said.index("noise")
    assert "+1.3" in said
    assert "-1.0 to +2.0" in said
    assert "points against 1" in said
    assert "reference" in said


def test_a_picture_that_takes_long_is_drawn_less_often_and_at_the_end(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveTable(console(), plan.spec.name, len(plan.slots), plan.spec.rungs, [])
    monkeypatch.setattr("sleepsweep.terminal.display.DRAWING", float("inf"))
    first = live.picture()
    assert live.picture() is not first
    monkeypatch.setattr("sleepsweep.terminal.display.DRAWING", 1e-9)
    with live.running():
        drawn = live.picture()
        live.trial_started(trial(plan, 0, (0, 0.4, "continue")))
        assert live.picture() is drawn
    assert live.picture() is not drawn
