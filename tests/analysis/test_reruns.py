"""Repeated runs count once: averaging them changes no estimate, and their spread is told."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sleepsweep.results import ResultsTable
from sleepsweep_analysis import analyse
from sleepsweep_analysis.comparable import comparable


@pytest.fixture
def table(world, sweep) -> ResultsTable:
    return sweep(world(1), trials=40, blocks=10, seed=2, rungs=2)


def _again(table: ResultsTable, shift: float) -> ResultsTable:
    """Every trial a second time, under another name, `shift` points higher."""
    more = table.trials.assign(trial=table.trials["trial"] + "x", order=table.trials["order"] + 500)
    more["macro_f1"] += shift / 100
    return replace(table, trials=pd.concat([table.trials, more], ignore_index=True))


def test_every_run_twice_changes_no_interval(table):
    once, twice = analyse(table), analyse(_again(table, 0.0))
    columns = ["effect", "low", "high"]
    np.testing.assert_allclose(once.categories[columns], twice.categories[columns], atol=1e-9)
    check = twice.check("PSEUDOREP")
    assert check.level == "amber"
    assert check.sentence.startswith(f"{table.trials['trial'].nunique()} runs")
    assert once.check("PSEUDOREP").level == "green"


def test_scores_are_averaged_and_their_sd_is_told(table):
    once, twice = comparable(table), comparable(_again(table, 0.4))
    assert twice.n_trials == once.n_trials
    np.testing.assert_allclose(twice.rows["points"], once.rows["points"] + 0.2)
    assert twice.rerun_sd == pytest.approx(np.std([0.0, 0.4], ddof=1))
    assert np.isnan(once.rerun_sd)
    described = twice.describe()
    assert described["rows"].sum() == 2 * len(table.trials)
    assert "again" in described["what"].iloc[-1]


def test_the_run_that_went_furthest_carries_the_others(table):
    trials = table.trials
    first = trials[trials["trial"] == trials["trial"].iloc[0]]
    assert first["rung"].tolist() == [2, 3]
    short = first[first["rung"] == 2].assign(trial="short", order=-1, macro_f1=0.0, decision="stop")
    both = replace(table, trials=pd.concat([short, trials], ignore_index=True))
    rows = comparable(both).rows
    merged = rows[rows["trial"] == first["trial"].iloc[0]].sort_values("rung")
    assert "short" not in set(rows["trial"])
    np.testing.assert_allclose(merged["points"], 100 * first["macro_f1"] * [0.5, 1.0])
    assert merged["decision"].tolist() == first["decision"].tolist()


def test_a_collapse_is_not_averaged_away(table):
    again = _again(table, 0.0)
    trials = again.trials.copy()
    trials.loc[trials["trial"] == "t0020x", "decision"] = "collapsed"
    chosen = comparable(replace(again, trials=trials))
    assert chosen.collapsed == {"t0020x"}
    assert {"t0020", "t0020x"} <= set(chosen.rows["trial"])


def test_other_seeds_severities_and_covariates_are_other_configurations(table):
    trials = _again(table, 0.0).trials
    second = trials["trial"].str.endswith("x")
    for column in ("seed", "severity.SignFlip", "hp.pretrain.temperature", "batch_size"):
        changed = trials.assign(**{column: trials.get(column, 0.0)})
        changed.loc[second, column] = 7
        assert comparable(replace(table, trials=changed)).reruns == 0
