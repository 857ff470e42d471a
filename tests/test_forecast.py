"""What a sweep would be: its own trials, stopped by its own rule, timed on its own data."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from sleepsweep import forecast as module
from sleepsweep.forecast import forecast, measure, simulated
from sleepsweep.plan import Plan, make_plan
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.terminal.forecast import _lines


def by_order(trial: int, block: int, rung: int, rungs: int) -> float:
    """Later trials are worse: halving stops every searched one but the first of its block."""
    return 0.9 - 0.01 * trial + 0.02 * rung


@pytest.fixture
def wide(sweep: Callable[..., SweepSpec]) -> Plan:
    keys = {"trials": 20, "anchors": 0.25}
    return make_plan(sweep(search=keys, split={"blocks": 2}))


def test_the_trials_are_the_plans_own(wide: Plan) -> None:
    table = simulated(wide, by_order)
    last = table.trials[table.trials["last"]]
    assert list(last["order"]) == [slot.order for slot in wide.slots]
    assert list(last["kind"]) == [slot.kind for slot in wide.slots]
    own = {slot.order: slot.trial.id for slot in wide.slots if slot.trial is not None}
    found = dict(zip(last["order"], last["trial"], strict=True))
    assert {order: found[order] for order in own} == own
    assert last["trial"].is_unique
    assert table.study.planned_trials == len(wide.slots)


def test_the_sweeps_rule_stops_them_and_no_anchor(wide: Plan) -> None:
    last = simulated(wide, by_order).trials.query("last")
    searched = last[last["kind"] == "search"]
    assert (searched["decision"] == "stop").sum() >= len(searched) - 2
    assert set(last.query("kind != 'search'")["decision"]) == {"done"}


def test_without_a_rule_nothing_is_stopped_and_it_is_the_same_again(
    sweep: Callable[..., SweepSpec],
) -> None:
    plan = make_plan(sweep(scheduler={"name": "none"}))
    tables = [simulated(plan, by_order).trials for _ in range(2)]
    assert set(tables[0].query("last")["decision"]) == {"done"}
    pd.testing.assert_frame_equal(*tables)


def test_time_is_that_of_steps_and_probes(wide: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "measure", lambda *_: (2.0, 3.0))
    table = simulated(wide, by_order)
    found = forecast(wide, [table, table])
    steps = table.trials.query("last")["step"].sum()
    assert found.busy_s == pytest.approx(2 * steps + 3 * len(table.trials))
    assert found.wall_s == pytest.approx(found.busy_s / found.concurrent)
    assert found.stopped == (table.trials["decision"] == "stop").sum()
    assert found.kinds == {"design": 2, "anchor": 5, "search": 15}
    assert sum(found.sizes.values()) == 22
    assert found.confirmation == 50
    assert found.confirmation_s == pytest.approx(50 * (4 * 2 + 3))


def test_a_probe_is_compared_with_the_shortest_training_before_one(
    sweep: Callable[..., SweepSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "measure", lambda *_: (2.0, 3.0))
    # Rungs at 2, 6, 18 and 20: two steps before the first one and the last.
    plan = make_plan(sweep(pretrain={"steps": 20}, scheduler={"grace_steps": 2, "factor": 3}))
    found = forecast(plan, [simulated(plan, by_order)])
    assert found.probe_share == found.plain["probe_share"] == pytest.approx(3 / (2 * 2))
    lines = dict(_lines(found))
    assert "75% of the training" in lines["probes"]
    assert "fewer probe.epochs_per_subject" in lines["probes"]
    cheap = dict(_lines(replace(found, probe_s=0.2)))
    assert cheap["probes"] == "5% of the training between two rungs at most"


def test_a_pack_counts_as_if_its_trials_took_turns(
    sweep: Callable[..., SweepSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "measure", lambda *_: (2.0, 3.0))
    plan = make_plan(sweep(resources={"pack": 3, "concurrent": 6}))
    found = forecast(plan, [simulated(plan, by_order)])
    assert (found.concurrent, found.pack) == (2, 3)
    assert found.wall_s == pytest.approx(found.busy_s / 2)
    assert "2 packs of 3 at once, as if their trials took turns" in dict(_lines(found))["time"]


def test_at_a_stated_rate_nothing_is_timed(wide: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(module, "measure")
    found = forecast(wide, [simulated(wide, by_order)], samples_per_s=100.0)
    assert found.step_s == pytest.approx(wide.spec.pretrain.batch_size / 100)
    # 40 epochs of each of the subjects that are trained and validated on.
    people = found.subjects["train"] + found.subjects["validation"]
    assert found.probe_s == pytest.approx(0.2 * 40 * people / 100)
    assert "at the rate that was given" in dict(_lines(found))["timing"]


def test_a_trial_is_timed_on_its_data(plan: Plan) -> None:
    trial = next(slot.trial for slot in plan.slots if slot.trial is not None)
    step_s, probe_s = measure(trial, plan.store, 2)
    assert step_s > 0
    assert probe_s > 0


def test_the_command_says_what_would_be_run_and_writes_nothing(
    command_line: Callable[..., subprocess.CompletedProcess[str]], sweep: Callable[..., SweepSpec],
    tmp_path: Path,
) -> None:  # fmt: skip
    space = tmp_path / "space.yaml"
    space.write_text(yaml.safe_dump(sweep(search={"trials": 12}).model_dump(mode="json")))
    ended = command_line("plan", space)
    assert ended.returncode == 0, ended.stderr
    for words in ("13: 1 designed, 4 anchors, 8 searched", "early stops", "four times in five",
                  "ONE_SPLIT"):  # fmt: skip
        assert words in ended.stdout
    assert list(tmp_path.iterdir()) == [space]
    said = json.loads(command_line("plan", space, "--json").stdout)
    assert said["kinds"] == {"design": 1, "anchor": 4, "search": 8}
    assert "ONE_SPLIT" in {warning["code"] for warning in said["warnings"]}
    told = {warning["code"]: warning["sentence"] for warning in said["warnings"]}
    assert f"{said['smallest_effect']:.1f} points" in told["UNDERPOWERED"]
