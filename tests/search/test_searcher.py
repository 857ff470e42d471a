from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from optuna.trial import TrialState
from ray.tune.search import Searcher

from sleepsweep.data.store import Store
from sleepsweep.folder.record import TrialRecord
from sleepsweep.plan import Plan, make_plan
from sleepsweep.search.samplers import POPULATION, SAMPLERS
from sleepsweep.search.searcher import SweepSearcher
from sleepsweep.space import Slot
from sleepsweep.spec.sections import SearchSpec
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trial import TrialSpec


def record(slot: Slot, trial: TrialSpec, scores: list[float], **more: Any) -> TrialRecord:
    steps = [1, 2, 4]
    decisions = ["continue"] * (len(scores) - 1) + ["done" if len(scores) == 3 else "stop"]
    rows = [
        {
            "rung": rung,
            "step": steps[rung],
            "macro_f1": score,
            "time_s": 1.0,
            "decision": decisions[rung],
        }
        for rung, score in enumerate(scores)
    ]
    return TrialRecord(slot.order, slot.kind, slot.design, trial, rows=rows, **more)


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


def test_searched_scalars_are_suggested_under_their_paths(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    ranges = {"encoder": {"latent_dim": {"int": [4, 16]}}, "probe": {"C": {"uniform": [0.5, 2]}}}
    for config in drain(searcher(make_plan(sweep(**ranges)))):
        if config["kind"] == "search":
            trial, suggested = TrialSpec.model_validate(config["trial"]), config["suggestion"]
            assert trial.encoder.latent_dim == suggested["encoder.latent_dim"]
            assert pytest.approx(suggested["probe.C"], rel=1e-3) == trial.probe.C


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


def test_an_anchor_that_a_search_has_run_before_is_not_run_again(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    """As where `extend` draws it: both would be one trial, and the sweep would never end."""
    plan = make_plan(sweep(search={"trials": 12, "anchors": 0.5}))
    anchor = [slot for slot in plan.slots if slot.kind == "anchor"][-1]
    earlier = next(slot for slot in plan.slots if slot.kind == "search")
    assert anchor.trial is not None
    assert anchor.order > earlier.order
    search = searcher(plan, [record(earlier, anchor.trial, [0.4, 0.5, 0.6])])
    configs = drain(search)
    assert anchor.trial.id not in {config["id"] for config in configs}
    assert search.given_up == {anchor.order}
    assert len(configs) == len(plan.slots) - 2


def test_a_stopped_trial_is_told_pruned_and_a_finished_one_complete(plan: Plan) -> None:
    search = searcher(plan)
    searched = [c for c in drain(search) if c["kind"] == "search"]
    ends = [f"t{config['order']}" for config in searched[:3]]
    search.on_trial_complete(ends[0], {"rung": 1, "step": 2, "macro_f1": 0.4})
    search.on_trial_complete(ends[1], {"rung": 2, "step": 4, "macro_f1": 0.6})
    search.on_trial_complete(ends[2], error=True)
    trials = [t for t in search.history.study().trials if t.state.is_finished()]
    assert [t.state for t in trials] == [TrialState.PRUNED, TrialState.COMPLETE]
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
    trials = searcher(plan, records).history.study().trials
    assert [t.state for t in trials] == [TrialState.PRUNED, TrialState.COMPLETE]
    assert trials[1].value == 0.6


def test_a_trial_that_continues_is_told_when_it_ends_and_not_before(plan: Plan) -> None:
    config = next(c for c in drain(searcher(plan)) if c["kind"] == "search")
    slot = plan.slots[config["order"]]
    begun = record(slot, TrialSpec.model_validate(config["trial"]), [0.3],
                   suggestion=config["suggestion"])  # fmt: skip
    begun.rows[-1]["decision"] = "continue"
    search = searcher(plan, [begun])
    assert search.history.study().trials == []
    ends = {config["id"]: f"t{place}" for place, config in enumerate(drain(search))}
    search.on_trial_complete(ends[begun.trial.id], {"rung": 2, "step": 4, "macro_f1": 0.9})
    told = [trial for trial in search.history.study().trials if trial.state.is_finished()]
    assert [(trial.state, trial.value) for trial in told] == [(TrialState.COMPLETE, 0.9)]


def test_slots_that_the_space_cannot_fill_are_given_up(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    pool = {"size": [0, 1], "placebo": False, "pool": {"SignFlip": {}}}
    plan = make_plan(sweep(augmentations=pool, search={"trials": 4, "anchors": 0.0}))
    search = searcher(plan)
    assert [config["order"] for config in drain(search)] == [0, 1]
    assert search.given_up == {2, 3, 4}


def test_the_samplers_are_those_of_the_grammar() -> None:
    annotation = SearchSpec.model_fields["sampler"].annotation
    names = {name for literal in get_args(annotation) for name in get_args(literal)}
    assert names == set(SAMPLERS)


def run_to_the_end(search: SweepSearcher, last: int = 4) -> list[float]:
    """Tell the search that SignFlip helps and that every augmentation costs; return the scores."""
    scores = []
    for number in range(1000):
        config = search.suggest(f"t{number}")
        if config == Searcher.FINISHED:
            return scores
        names = [member["name"] for member in config["trial"]["policy"]]
        scores.append(0.5 + 0.2 * ("SignFlip" in names) - 0.05 * len(names))
        step = last if number % 4 else 2
        row = {"rung": 2, "step": step, "macro_f1": scores[-1], "time_s": 1.0 + len(names)}
        search.on_trial_complete(f"t{number}", row)
    raise AssertionError("the search does not end")


@pytest.mark.parametrize("objective", ["macro_f1", ["macro_f1", "time_s"]], ids=["one", "two"])
@pytest.mark.parametrize(
    ("sampler", "trials"), [("random", 40), ("tpe", 40), ("nsga2", 60), ("gp", 13)]
)
def test_every_sampler_draws_and_is_told(
    sweep: Callable[..., SweepSpec], store: Store, sampler: str, trials: int, objective: Any
) -> None:
    keys = {"sampler": sampler, "trials": trials, "anchors": 0.0, "designs": []}
    ranges = {"probe": {"C": {"loguniform": [0.1, 10.0]}}}
    plan = make_plan(sweep(search=keys, objective=objective, **ranges))
    search = searcher(plan)
    scores = run_to_the_end(search)
    assert len(scores) == trials
    # One that was drawn before is asked for again, and no part of the history.
    states = Counter(trial.state for trial in search.history.study().trials)
    assert states[TrialState.COMPLETE] + states[TrialState.PRUNED] == trials
    assert states[TrialState.RUNNING] == 0
    assert run_to_the_end(searcher(plan)) == scores
    if sampler == "tpe" and objective == "macro_f1":
        assert np.mean(scores[-15:]) > np.mean(scores[:15]) + 0.03


def test_generations_outlive_a_resume(sweep: Callable[..., SweepSpec], store: Store) -> None:
    keys = {"sampler": "nsga2", "trials": 40, "anchors": 0.0, "designs": []}
    plan = make_plan(sweep(search=keys))
    configs = [config for config in drain(searcher(plan)) if config["suggestion"]]
    records = [
        record(plan.slots[config["order"]], TrialSpec.model_validate(config["trial"]),
               [0.1, 0.2, 0.5], suggestion=config["suggestion"])
        for config in configs[: 2 * POPULATION]
    ]  # fmt: skip
    search = searcher(plan, records)
    search.suggest("next")
    generations = [
        trial.system_attrs["NSGAIISampler:generation"] for trial in search.history.study().trials
    ]
    assert generations[: 2 * POPULATION] == [0] * POPULATION + [1] * POPULATION
    assert set(generations[2 * POPULATION :]) == {2}


def test_several_objectives_are_told_and_recorded_ones_too(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    plan = make_plan(sweep(objective=["kappa", "time_s"], search={"sampler": "tpe"}))
    config = next(c for c in drain(searcher(plan)) if c["kind"] == "search")
    done = record(plan.slots[config["order"]], TrialSpec.model_validate(config["trial"]),
                  [0.1, 0.2, 0.5], suggestion=config["suggestion"])  # fmt: skip
    for row in done.rows:
        row["kappa"] = row["macro_f1"] / 2
    told = searcher(plan, [done]).history.study()
    assert [direction.name for direction in told.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert told.trials[0].values == [0.25, 1.0]
