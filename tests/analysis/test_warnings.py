"""Every warning is raised by a table that deserves it, and not by one that does not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sleepsweep.results import ResultsTable
from sleepsweep_analysis import analyse


def _edit(table: ResultsTable, change: Callable[[pd.DataFrame], object], **study) -> ResultsTable:
    trials = table.trials.copy()
    change(trials)
    return replace(table, trials=trials, study=replace(table.study, **study))


def _put(mask: Callable[[pd.DataFrame], pd.Series], **values):
    def change(trials: pd.DataFrame) -> None:
        for column, value in values.items():
            trials.loc[mask(trials), column] = value

    return change


@pytest.fixture
def table(world, sweep) -> ResultsTable:
    return sweep(world(1), trials=48, blocks=10, seed=1, rungs=2)


def _level(table: ResultsTable, code: str) -> str:
    found = analyse(table).check(code)
    return found.level if found else "absent"


def everything(trials):
    return trials["order"] >= 0


def test_a_good_sweep_is_green_but_for_power_and_confirmation(table):
    levels = {check.code: check.level for check in analyse(table).checks}
    amber = {code for code, level in levels.items() if level != "green"}
    assert amber == {"UNDERPOWERED", "WINNER"}


@pytest.mark.parametrize(
    ("code", "change", "study", "level"),
    [
        ("LEAK_TEST", _put(everything, selected_on="test"), {}, "red"),
        ("ADAPTIVE", _put(everything, kind="search"), {"sampler": "tpe"}, "red"),
        ("ADAPTIVE", _put(lambda t: t["order"] > 9, kind="search"), {"sampler": "tpe"}, "amber"),
        ("ONE_SPLIT", _put(everything, split=0), {}, "red"),
        ("FEW_BLOCKS", _put(lambda t: t["block"] > 4, block=4), {}, "amber"),
        ("INCOMPLETE", _put(everything), {"planned_trials": 60}, "amber"),
        ("INCOMPLETE", _put(lambda t: t["on.SignFlip"], decision="failed"), {}, "red"),
        ("FEW_STAGES", _put(lambda t: t["order"] < 3, **{"f1.N3": np.nan}), {}, "amber"),
        ("COLLAPSED", _put(lambda t: t["order"] == 20, decision="collapsed"), {}, "amber"),
        ("CENSORED", _put(lambda t: t["order"] > 8, decision="stop"), {}, "amber"),
        ("PLACEBO", _put(lambda t: t["on.Placebo"], macro_f1=0.9), {}, "red"),
    ],
)
def test_a_warning_is_raised(table, code, change, study, level):
    assert _level(_edit(table, change, **study), code) == level


def test_no_baseline_without_the_empty_policy_and_the_singles(world, sweep):
    assert _level(sweep(world(1), trials=30, seed=1, designs=False), "NO_BASELINE") == "amber"


def test_no_placebo_is_said(world, sweep):
    table = sweep(world(1), trials=30, seed=1)
    names = {n: c for n, c in table.study.categories.items() if n != "Placebo"}
    assert _level(replace(table, study=replace(table.study, categories=names)), "PLACEBO") == (
        "amber"
    )


def test_confirmation_clears_winner_and_stays_out_of_the_model(table):
    last = table.trials[table.trials["last"]].tail(2)
    more = last.assign(kind="confirmation", trial=["c0", "c1"], macro_f1=0.1, selected_on="test")
    both = replace(table, trials=pd.concat([table.trials, more], ignore_index=True))
    analysis = analyse(both)
    assert analysis.check("WINNER").level == "green"
    assert analysis.check("LEAK_TEST").level == "green"
    pd.testing.assert_frame_equal(analysis.categories, analyse(table).categories)


def test_power_is_enough_where_noise_is_small(table):
    trials = table.trials.copy()
    names = list(table.study.categories)
    trials["macro_f1"] = 0.6 + trials[[f"on.{n}" for n in names]].to_numpy() @ np.full(14, 0.004)
    trials["macro_f1"] += np.random.default_rng(0).normal(0, 2e-4, len(trials))
    assert _level(replace(table, trials=trials), "UNDERPOWERED") == "green"
