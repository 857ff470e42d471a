"""The last rung is the one at full length, and rungs are compared within blocks."""

from dataclasses import replace

import numpy as np
import pytest

from sleepsweep.results import ResultsTable, TableError
from sleepsweep_analysis import analyse
from sleepsweep_analysis.simulation import without_effects
from sleepsweep_analysis.words.fidelity import fidelity_finding


def test_a_world_of_speed_stopped_at_the_first_rung_is_not_ranked(world, sweep):
    planted = without_effects(world(3), speed=True)
    table = sweep(planted, trials=60, blocks=3, seed=3)
    first = replace(table, trials=table.trials[table.trials["rung"] == 0])
    with pytest.raises(TableError, match=r"reached the last rung \(step 6,750\).*go on"):
        analyse(first)


def test_without_a_length_the_largest_rung_is_the_last(world, sweep):
    table = sweep(world(1), trials=40, blocks=3, seed=1, steps=0)
    early = replace(table, trials=table.trials[table.trials["rung"] < 3])
    assert analyse(early).posterior.design.last == 2


def test_a_collapsed_trial_counts_at_the_rung_where_it_ended(world, sweep):
    table = sweep(world(1), trials=40, blocks=3, seed=1)
    trials = table.trials[(table.trials["order"] != 20) | (table.trials["rung"] == 0)].copy()
    trials.loc[trials["order"] == 20, ["macro_f1", "decision"]] = [0.1, "collapsed"]
    analysis = analyse(replace(table, trials=trials))
    rows = analysis.chosen.rows
    assert rows.loc[rows["order"] == 20, ["rung", "points"]].to_numpy().tolist() == [[0, 10.0]]
    assert analysis.posterior.design.last == 3
    assert "t0020" not in set(analysis.leaderboard["trial"])


def _two_rungs(table: ResultsTable, shared: float) -> ResultsTable:
    """Scores whose noise within a block is shared by the rungs or not; blocks at −4, 0 and +4."""
    rng = np.random.default_rng(4)
    trials = table.trials.copy()
    run = dict(
        zip(trials["trial"].unique(), rng.normal(0, shared, trials["trial"].nunique()), strict=True)
    )
    level = 60 + 4 * (trials["block"] - 1) + trials["trial"].map(run)
    trials["macro_f1"] = (level + rng.normal(0, 1, len(trials))) / 100
    return replace(table, trials=trials)


@pytest.mark.parametrize(("shared", "word"), [(0.0, "poorly"), (5.0, "well")])
def test_what_foretells_is_the_trial_and_not_its_block(world, sweep, shared, word):
    table = sweep(world(1), trials=60, blocks=3, seed=1, rungs=2, asha=False)
    finding = fidelity_finding(analyse(_two_rungs(table, shared)).fidelity)
    assert f"foretell the last ones {word} (" in finding
    assert "60 trials" in finding


def test_blocks_of_one_finished_trial_tell_nothing_about_rungs(world, sweep):
    table = sweep(world(1), trials=30, blocks=3, seed=1, rungs=2, asha=False)
    keep = (table.trials["rung"] == 2) | (table.trials["order"] < 6)
    finding = fidelity_finding(analyse(replace(table, trials=table.trials[keep])).fidelity)
    assert "6 trials" in finding
    keep &= (table.trials["rung"] == 2) | (table.trials["order"] < 3)
    finding = fidelity_finding(analyse(replace(table, trials=table.trials[keep])).fidelity)
    assert finding.endswith("cannot tell.")
