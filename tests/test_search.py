from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from optuna.trial import TrialState
from ray.tune.search import Searcher

from sleepsweep.data.store import Store
from sleepsweep.plan import Plan, make_plan
from sleepsweep.search import BlockwiseASHA, SweepSearcher, make_scheduler
from sleepsweep.space import Slot
from sleepsweep.spec import SchedulerSpec, SweepSpec
from sleepsweep.sweepfolder import TrialRecord
from sleepsweep.trial import TrialSpec

RUNGS = SchedulerSpec(grace_steps=1, factor=3)


def asha(records: list[TrialRecord] | None = None, blocks: int = 2) -> BlockwiseASHA:
    return BlockwiseASHA(RUNGS, last_step=9, blocks=blocks, records=records or [])


def decide(
    scheduler: BlockwiseASHA, trial: str, score: float, *, block: int = 0, kind: str = "search",
    step: int = 1, collapsed: bool = False,
) -> str:  # fmt: skip
    config = {"id": trial, "block": block, "kind": kind}
    result = {"step": step, "macro_f1": score, "collapsed": collapsed}
    return scheduler.on_trial_result(None, SimpleNamespace(config=config), result)


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
    assert isinstance(scheduler, BlockwiseASHA)
    decide(scheduler, "a", 0.9, kind="design")
    assert decide(scheduler, "b", 0.1, kind="anchor") == "CONTINUE"
    assert decide(scheduler, "c", 0.05, kind="design") == "STOP"


@pytest.mark.parametrize("kind", ["design", "anchor", "search"])
def test_the_last_rung_and_a_collapse_end_every_trial(kind: str) -> None:
    scheduler = asha()
    assert decide(scheduler, "a", 0.9, kind=kind, step=9) == "STOP"
    assert decide(scheduler, "b", 0.9, kind=kind, collapsed=True) == "STOP"


def record(slot: Slot, trial: TrialSpec, scores: list[float], **more: Any) -> TrialRecord:
    steps = [1, 2, 4]
    decisions = ["continue"] * (len(scores) - 1) + ["done" if len(scores) == 3 else "stop"]
    rows = [
        {"rung": rung, "step": steps[rung], "macro_f1": score, "decision": decisions[rung]}
        for rung, score in enumerate(scores)
    ]
    return TrialRecord(slot.order, slot.kind, slot.design, trial, rows=rows, **more)


def test_recorded_rungs_are_compared_with_after_a_new_start(plan: Plan) -> None:
    slot = plan.slots[0]
    assert slot.trial is not None
    scheduler = asha([record(slot, slot.trial, [0.9])])
    assert decide(scheduler, "other", 0.5) == "STOP"
    assert decide(scheduler, slot.trial.id, 0.1) == "CONTINUE"


def searcher(plan: Plan, records: list[TrialRecord] | None = None) -> SweepSearcher:
    return SweepSearcher(plan.space, plan.open_slots(records or []), records or [])


def drain(search: SweepSearcher) -> list[dict[str, Any]]:
    configs = []
    while True:
        config = search.suggest(f"t{len(configs)}")
        if config == Searcher.FINISHED:
            return configs
        configs.append(config)


@pytest.mark.parametrize("goal", ["rank", "best"])
def test_every_slot_is_handed_out_once_in_order(
    sweep: Callable[..., SweepSpec], store: Store, goal: str
) -> None:
    plan = make_plan(sweep(search={"goal": goal, "trials": 20}))
    search = searcher(plan)
    configs = drain(search)
    assert [config["order"] for config in configs] == [slot.order for slot in plan.slots]
    assert len({config["id"] for config in configs}) == len(plan.slots)
    assert not search.given_up
    for config in configs:
        assert TrialSpec.model_validate(config["trial"]).id == config["id"]


def test_a_resumed_search_suggests_what_an_uninterrupted_one_would(plan: Plan) -> None:
    whole = drain(searcher(plan))
    begun = drain(searcher(plan))[:4]
    records = [
        record(slot, TrialSpec.model_validate(config["trial"]), [0.5],
               suggestion=config["suggestion"])
        for slot, config in zip(plan.slots, begun, strict=False)
    ]  # fmt: skip
    rest = drain(searcher(plan, records))
    assert [config["id"] for config in rest] == [config["id"] for config in whole[4:]]


def test_a_stopped_trial_is_told_pruned_and_a_finished_one_complete(plan: Plan) -> None:
    search = searcher(plan)
    searched = [c for c in drain(search) if c["kind"] == "search"]
    ends = [f"t{config['order']}" for config in searched[:3]]
    search.on_trial_complete(ends[0], {"step": 2, "macro_f1": 0.4, "training_iteration": 2})
    search.on_trial_complete(ends[1], {"step": 4, "macro_f1": 0.6, "training_iteration": 3})
    search.on_trial_complete(ends[2], error=True)
    trials = [t for t in search.study.trials if t.state.is_finished()]
    assert [t.state for t in trials] == [TrialState.PRUNED, TrialState.COMPLETE, TrialState.FAIL]
    assert trials[0].intermediate_values == {2: 0.4}
    assert trials[1].value == 0.6


def test_recorded_trials_are_optunas_history(plan: Plan) -> None:
    searched = [
        (plan.slots[config["order"]], config)
        for config in drain(searcher(plan))
        if config["kind"] == "search"
    ]
    records = [
        record(slot, TrialSpec.model_validate(config["trial"]), scores,
               suggestion=config["suggestion"])
        for (slot, config), scores in zip(searched, ([0.4, 0.5], [0.4, 0.5, 0.6]), strict=False)
    ]  # fmt: skip
    trials = searcher(plan, records).study.trials
    assert [t.state for t in trials] == [TrialState.PRUNED, TrialState.COMPLETE]
    assert trials[1].value == 0.6


def test_a_trial_that_continues_is_told_when_it_ends_and_not_before(plan: Plan) -> None:
    config = next(c for c in drain(searcher(plan)) if c["kind"] == "search")
    slot = plan.slots[config["order"]]
    begun = record(slot, TrialSpec.model_validate(config["trial"]), [0.3],
                   suggestion=config["suggestion"])  # fmt: skip
    begun.rows[-1]["decision"] = "continue"
    search = searcher(plan, [begun])
    assert search.study.trials == []
    ends = {config["id"]: f"t{place}" for place, config in enumerate(drain(search))}
    search.on_trial_complete(ends[begun.trial.id], {"rung": 2, "step": 4, "macro_f1": 0.9})
    told = [trial for trial in search.study.trials if trial.state.is_finished()]
    assert [(trial.state, trial.value) for trial in told] == [(TrialState.COMPLETE, 0.9)]


def test_a_collapsed_trial_counts_at_its_rung_whether_live_or_recorded() -> None:
    live = asha()
    for name, score, collapsed in (("a", 0.52, False), ("b", 0.51, False), ("c", 0.1, True)):
        decide(live, name, score, collapsed=collapsed)
    cutoffs = [bracket.cutoff(bracket._rungs[-1][1]) for bracket in live._halving[0]._brackets]
    assert len(live._halving[0]._brackets[0]._rungs[-1][1]) == 3
    assert cutoffs[0] < 0.515


def test_slots_that_the_space_cannot_fill_are_given_up(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    pool = {"size": [0, 1], "placebo": False, "pool": {"SignFlip": {}}}
    plan = make_plan(sweep(augmentations=pool, search={"trials": 4, "anchors": 0.0}))
    search = searcher(plan)
    assert [config["order"] for config in drain(search)] == [0, 1]
    assert search.given_up == {2, 3, 4}


def test_without_a_scheduler_nothing_is_stopped(sweep: Callable[..., SweepSpec]) -> None:
    scheduler = make_scheduler(sweep(scheduler={"name": "none"}), [])
    for number in range(5):
        assert decide(scheduler, str(number), 0.9 - number / 10) == "CONTINUE"  # type: ignore[arg-type]
