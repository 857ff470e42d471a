"""What must not change a ranking does not change it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sleepsweep.results import ResultsTable
from sleepsweep_analysis import analyse


@pytest.fixture
def table(world, sweep) -> ResultsTable:
    return sweep(world(2), trials=40, blocks=3, seed=2)


def _effects(table: ResultsTable) -> np.ndarray:
    frame = analyse(table).effects.set_index("augmentation").sort_index()
    return frame[["effect", "low", "high"]].to_numpy()


def test_a_constant_added_to_one_block_changes_no_effect(table):
    trials = table.trials.copy()
    trials.loc[trials["block"] == 1, "macro_f1"] += 0.07
    np.testing.assert_allclose(_effects(replace(table, trials=trials)), _effects(table), atol=1e-4)


def test_permuting_rows_changes_nothing(table):
    shuffled = replace(table, trials=table.trials.sample(frac=1.0, random_state=1))
    np.testing.assert_allclose(_effects(shuffled), _effects(table), atol=1e-9)


def test_relabelling_trials_and_blocks_changes_nothing(table):
    trials = table.trials.copy()
    trials["block"] = 9 - trials["block"]
    trials["order"] = trials["order"].max() - trials["order"]
    np.testing.assert_allclose(_effects(replace(table, trials=trials)), _effects(table), atol=1e-4)


def test_duplicating_each_run_changes_no_interval(table):
    again = table.trials.assign(
        trial=table.trials["trial"] + "-again", order=table.trials["order"] + 1000
    )
    twice = replace(table, trials=pd.concat([table.trials, again], ignore_index=True))
    once, found = _effects(table), _effects(twice)
    width = (once[:, 2] - once[:, 1])[:, None]
    assert (np.abs(found - once) <= 0.02 * width).all()
