from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from sleepsweep.folder.record import TrialRecord
from sleepsweep.plan import Plan
from sleepsweep.search.schedulers import (
    BlockwiseScheduler,
    RungScheduler,
    bracket_of,
    make_scheduler,
)
from sleepsweep.spec.sections import SchedulerSpec
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trial import TrialSpec


def made(name: str, records: list[TrialRecord] | None = None) -> RungScheduler:
    """The scheduler of that name, for trials of 9 steps with rungs at 1 and 3."""
    tree = {
        "name": "rungs",
        "pretrain": {"steps": 9},
        "augmentations": {"size": [0, 1], "pool": {"SignFlip": {}}},
        "scheduler": {"name": name, "grace_steps": 1, "factor": 3},
    }
    return make_scheduler(SweepSpec.model_validate(tree), records or [])


def asha(records: list[TrialRecord] | None = None) -> RungScheduler:
    return made("asha", records)


def median_rule(records: list[TrialRecord] | None = None) -> RungScheduler:
    return made("median", records)


def decide(
    scheduler: RungScheduler, trial: str, score: float, *, block: int = 0, kind: str = "search",
    rung: int = 0, collapsed: bool = False, bracket: int = 0,
) -> str:  # fmt: skip
    config = {"id": trial, "block": block, "kind": kind, "bracket": bracket}
    result = {"rung": rung, "step": 3**rung, "macro_f1": score, "collapsed": collapsed}
    return scheduler.on_trial_result(None, SimpleNamespace(config=config), result)


@pytest.mark.parametrize("name", get_args(SchedulerSpec.model_fields["name"].annotation))
def test_the_first_trial_that_waits_is_run_and_those_that_ended_are_not_looked_at(
    name: str,
) -> None:
    states = ["RUNNING", "PENDING", "PENDING", "PAUSED"]
    live = {
        order: SimpleNamespace(status=state, config={"order": order})
        for order, state in enumerate(states)
    }
    controller = SimpleNamespace(get_live_trials=lambda: [live[n] for n in (3, 2, 0, 1)])
    assert made(name).choose_trial_to_run(controller) is live[1]
    controller.get_live_trials = lambda: [live[0]]
    assert made(name).choose_trial_to_run(controller) is None


def test_asha_stops_what_is_below_the_best_third_of_its_block() -> None:
    scheduler = asha()
    assert decide(scheduler, "a", 0.5) == "CONTINUE"
    assert decide(scheduler, "b", 0.6) == "CONTINUE"
    assert decide(scheduler, "c", 0.4) == "STOP"


def test_asha_never_compares_across_blocks() -> None:
    scheduler = asha()
    decide(scheduler, "a", 0.9, block=0)
    assert decide(scheduler, "b", 0.1, block=1) == "CONTINUE"


def test_anchors_and_designs_count_at_the_rungs_and_are_never_stopped() -> None:
    scheduler = asha()
    decide(scheduler, "a", 0.9, kind="design")
    assert decide(scheduler, "b", 0.1, kind="anchor") == "CONTINUE"
    assert decide(scheduler, "c", 0.5, kind="search") == "STOP"


def test_designs_are_stopped_where_that_is_asked_for(sweep: Callable[..., SweepSpec]) -> None:
    scheduler = make_scheduler(sweep(search={"stop_designs": True}), [])
    decide(scheduler, "a", 0.9, kind="design")
    assert decide(scheduler, "b", 0.1, kind="anchor") == "CONTINUE"
    assert decide(scheduler, "c", 0.05, kind="design") == "STOP"


@pytest.mark.parametrize("kind", ["design", "anchor", "search"])
def test_the_last_rung_and_a_collapse_end_every_trial(kind: str) -> None:
    scheduler = asha()
    assert decide(scheduler, "a", 0.9, kind=kind, rung=2) == "STOP"
    assert decide(scheduler, "b", 0.9, kind=kind, collapsed=True) == "STOP"


def recorded(trial: TrialSpec, scores: list[float]) -> TrialRecord:
    rows = [
        {"rung": rung, "step": 3**rung, "macro_f1": score, "bracket": 0, "decision": "continue"}
        for rung, score in enumerate(scores)
    ]
    return TrialRecord(0, "search", "", trial, rows=rows)


def test_recorded_rungs_are_compared_with_after_a_new_start(plan: Plan) -> None:
    slot = plan.slots[0]
    assert slot.trial is not None
    scheduler = asha([recorded(slot.trial, [0.9])])
    assert decide(scheduler, "other", 0.5) == "STOP"
    assert decide(scheduler, slot.trial.id, 0.1) == "CONTINUE"


def test_a_collapsed_trial_counts_at_its_rung_whether_live_or_recorded() -> None:
    live = asha()
    for name, score, collapsed in (("a", 0.52, False), ("b", 0.51, False), ("c", 0.1, True)):
        decide(live, name, score, collapsed=collapsed)
    assert decide(live, "d", 0.515) == "CONTINUE"
    assert decide(live, "e", 0.509) == "STOP"


def test_without_a_scheduler_nothing_is_stopped(sweep: Callable[..., SweepSpec]) -> None:
    scheduler = make_scheduler(sweep(scheduler={"name": "none"}), [])
    for number in range(5):
        assert decide(scheduler, str(number), 0.9 - number / 10) == "CONTINUE"  # type: ignore[arg-type]


def test_the_median_rule_stops_what_never_reached_the_others_means() -> None:
    scheduler = median_rule()
    for name, first, second in (("a", 0.2, 0.6), ("b", 0.4, 0.4), ("c", 0.3, 0.9)):
        assert decide(scheduler, name, first) == "CONTINUE"
        assert decide(scheduler, name, second, rung=1) == "CONTINUE"
    # First rung: the median of 0.2, 0.4, 0.3. Second: that of the means 0.4, 0.4, 0.6.
    assert decide(scheduler, "d", 0.3) == "CONTINUE"
    assert decide(scheduler, "e", 0.29) == "STOP"
    assert decide(scheduler, "d", 0.39, rung=1) == "STOP"
    assert decide(scheduler, "f", 0.45) == "CONTINUE"
    # What it has been once still counts: the median was passed at the first rung.
    assert decide(scheduler, "f", 0.1, rung=1) == "CONTINUE"


def test_few_others_and_other_blocks_stop_nothing_by_the_median() -> None:
    scheduler = median_rule()
    for number in range(3):
        assert decide(scheduler, str(number), 0.9 - number / 10) == "CONTINUE"
    assert decide(scheduler, "other", 0.1, block=1) == "CONTINUE"
    assert decide(scheduler, "anchor", 0.1, kind="anchor") == "CONTINUE"
    assert decide(scheduler, "same", 0.1) == "STOP"


def test_medians_are_those_of_the_records_after_a_new_start(plan: Plan) -> None:
    trial = plan.slots[0].trial
    assert trial is not None
    seeds = [trial.model_copy(update={"seed": seed}) for seed in range(3)]
    fresh = [TrialSpec.model_validate(one.model_dump(mode="json")) for one in seeds]
    scheduler = median_rule([recorded(one, [0.8, 0.9]) for one in fresh])
    assert decide(scheduler, "new", 0.5) == "STOP"
    # A worker that was lost reports the rungs of its checkpoint again: they have been decided.
    assert decide(scheduler, fresh[0].id, 0.1) == "CONTINUE"


def test_a_bracket_is_compared_later_and_with_its_own() -> None:
    scheduler = asha()
    decide(scheduler, "a", 0.9)
    assert decide(scheduler, "b", 0.1, bracket=1) == "CONTINUE"
    assert decide(scheduler, "c", 0.5, bracket=1, rung=1) == "CONTINUE"
    assert decide(scheduler, "b", 0.1, bracket=1, rung=1) == "STOP"
    assert decide(scheduler, "d", 0.9, bracket=2, rung=1) == "CONTINUE"
    assert decide(scheduler, "e", 0.1, bracket=2, rung=1) == "CONTINUE"


def test_hyperband_deals_trials_out_by_its_weights(sweep: Callable[..., SweepSpec]) -> None:
    keys = {"name": "hyperband", "grace_steps": 1, "factor": 3}
    spec = sweep(scheduler=keys, pretrain={"steps": 9})
    dealt = Counter(bracket_of(spec, order) for order in range(1700))
    # K = 2: three halvings fewer than one another, 9, ⌈3/2 · 3⌉ and 3 of 17.
    assert dealt[0] == pytest.approx(900, abs=80)
    assert dealt[1] == pytest.approx(500, abs=80)
    assert dealt[2] == pytest.approx(300, abs=80)
    assert {bracket_of(sweep(), order) for order in range(20)} == {0}


def test_there_is_a_scheduler_for_each_name_of_the_grammar(
    sweep: Callable[..., SweepSpec],
) -> None:
    for name in get_args(SchedulerSpec.model_fields["name"].annotation):
        scheduler = make_scheduler(sweep(scheduler={"name": name}, objective="kappa"), [])
        assert isinstance(scheduler, BlockwiseScheduler) == (name != "none")


def test_the_first_objective_decides(sweep: Callable[..., SweepSpec]) -> None:
    spec = sweep(objective=["accuracy", "time_s"], scheduler={"grace_steps": 1, "factor": 3})
    scheduler = make_scheduler(spec, [])
    config: dict[str, Any] = {"id": "a", "block": 0, "kind": "search", "bracket": 0}
    result = {"rung": 0, "step": 1, "macro_f1": 0.0, "accuracy": 0.9, "collapsed": False}
    scheduler.on_trial_result(None, SimpleNamespace(config=config), result)
    worse = {**result, "macro_f1": 1.0, "accuracy": 0.1}
    other = SimpleNamespace(config={**config, "id": "b"})
    assert scheduler.on_trial_result(None, other, worse) == "STOP"
