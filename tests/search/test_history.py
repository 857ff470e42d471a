"""What Optuna is told: scores within their block, early ends as such, and nothing of failures."""

import math
from typing import Any

import pytest
from optuna.trial import TrialState

from sleepsweep.search.history import Block, Entry, History
from sleepsweep.search.samplers import SAMPLERS
from sleepsweep.spec.ranges import Suggest

OWN = ""


def define(trial: Suggest) -> None:
    trial.suggest_float("x", 0.0, 1.0)


def history(*objectives: str, sampler: str = "tpe") -> History:
    return History(define, objectives or ("macro_f1",), 4, SAMPLERS[sampler])


def add(
    to: History, scores: list[float], block: Block = (OWN, 0), *, ended: bool = True, x: float = 0.5
) -> Entry:
    rows = [{"rung": rung, "step": 2**rung, "macro_f1": score, "time_s": 10.0 * block[1]}
            for rung, score in enumerate(scores)]  # fmt: skip
    return to.add({"x": x}, block, rows, ended=ended)


def values(of: History) -> list[Any]:
    return [trial.value for trial in of.study().trials]


def test_one_block_is_told_as_it_is() -> None:
    one = history()
    add(one, [0.1, 0.2, 0.3])
    add(one, [0.1, 0.2, 0.7])
    assert values(one) == [0.3, 0.7]


def test_a_block_of_easy_subjects_is_no_good_policy() -> None:
    told = history()
    for block, level in ((0, 0.2), (1, 0.7)):
        for gain in (-0.1, 0.0, 0.1):
            add(told, [level, level, level + gain], (OWN, block))
    # The mean of both blocks, 0.45, and what each trial is worth within its own.
    assert values(told) == pytest.approx([0.35, 0.45, 0.55] * 2)


def test_trials_of_the_design_show_what_a_block_is_worth_and_are_not_told() -> None:
    told = history()
    for block, level in ((0, 0.2), (1, 0.6)):
        rows = [{"rung": rung, "step": 2**rung, "macro_f1": level} for rung in range(3)]
        for _ in range(9):
            told.add(None, (OWN, block), rows, ended=True)
    add(told, [0.2, 0.2, 0.3], (OWN, 0))
    assert values(told) == [pytest.approx(0.4 + 0.1, abs=0.01)]


def test_early_rungs_are_told_within_their_block_too() -> None:
    told = history()
    add(told, [0.1], (OWN, 0))
    add(told, [0.3], (OWN, 0))
    add(told, [0.8], (OWN, 1))
    seen = [trial.intermediate_values[1] for trial in told.study().trials]
    assert seen == pytest.approx([0.4, 0.6, 0.5])
    assert {trial.state for trial in told.study().trials} == {TrialState.PRUNED}


def test_another_sweep_keeps_its_level_and_its_own_blocks() -> None:
    told = history()
    add(told, [0.0, 0.0, 0.2], ("before", 0))
    add(told, [0.0, 0.0, 0.4], ("before", 1))
    add(told, [0.0, 0.0, 0.9], (OWN, 0))
    assert values(told) == pytest.approx([0.3, 0.3, 0.9])


def test_what_a_trial_costs_is_told_as_it_is() -> None:
    told = history("macro_f1", "time_s")
    add(told, [0.1, 0.1, 0.2], (OWN, 1))
    add(told, [0.1, 0.1, 0.4], (OWN, 2))
    assert [trial.values for trial in told.study().trials] == [
        pytest.approx([0.3, 10.0]), pytest.approx([0.3, 20.0])
    ]  # fmt: skip
    assert not told.study().trials[0].intermediate_values


def test_running_trials_are_known_and_failed_ones_forgotten() -> None:
    told = history()
    running, failed = add(told, [0.1], ended=False), add(told, [], ended=False)
    told.forget(failed)
    assert [trial.state for trial in told.study().trials] == [TrialState.RUNNING]
    running.add({"rung": 0, "step": 1, "macro_f1": 0.9})
    assert len(running.rows) == 1
    running.add({"rung": 1, "step": 2, "macro_f1": 0.9})
    assert [row["macro_f1"] for row in running.rows] == [0.1, 0.9]


def test_a_result_that_is_no_number_is_no_result() -> None:
    told = history()
    add(told, [0.1, 0.2, math.nan])
    add(told, [0.1, 0.2, 0.3])
    assert [trial.state for trial in told.study().trials] == [
        TrialState.PRUNED, TrialState.COMPLETE
    ]  # fmt: skip
    told.ask(1)


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2", "gp"])
def test_asking_adds_nothing_and_is_repeatable(sampler: str) -> None:
    told = history(sampler=sampler)
    for place in range(12):
        add(told, [0.1, 0.2, place / 12], x=place / 12)
    first = told.ask(7)
    assert told.ask(7) == first
    if sampler != "gp":  # whose best guess is the same from any seed
        assert told.ask(8) != first
    assert len(told.study().trials) == 12
