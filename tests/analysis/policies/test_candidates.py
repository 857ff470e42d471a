"""Which policies are confirmed: by what is expected of them, each once, and the best single."""

from dataclasses import replace

import numpy as np
import pytest

from sleepsweep.results import TableError
from sleepsweep_analysis import analyse
from sleepsweep_analysis.policies.candidates import candidates
from sleepsweep_analysis.policies.leaderboard import scores


def test_the_best_expected_policies_and_the_best_single(world, sweep):
    analysis = analyse(sweep(world(1), trials=60, blocks=3, seed=1))
    found = candidates(analysis, 3)
    assert list(found["role"]) == ["top 1", "top 2", "top 3", "best single"]
    assert found["policy"].is_unique
    assert found["expected"][:3].is_monotonic_decreasing
    assert all(only is None for only in found["only"])
    rows = analysis.trials.set_index("trial")
    assert (rows.loc[found["trial"], "decision"] == "done").all()
    assert rows.loc[found["trial"].iloc[-1], "size"] == 1


def test_a_single_at_the_top_is_named_once(world, sweep):
    table = sweep(world(1), trials=60, blocks=3, seed=1)
    last = table.trials[table.trials["last"]]
    small = last.loc[last["size"] <= 1, "trial"]
    table = replace(table, trials=table.trials[table.trials["trial"].isin(small)])
    found = candidates(analyse(table), 2)
    assert list(found["role"]) == ["top 1, best single", "top 2"]


def test_without_singles_the_largest_effect_stands_alone(world, sweep):
    analysis = analyse(sweep(world(1), trials=60, blocks=3, seed=1, designs=False))
    singles = analysis.trials.loc[analysis.trials["size"] == 1, "trial"]
    table = analysis.table
    table = replace(table, trials=table.trials[~table.trials["trial"].isin(singles)])
    found = candidates(analyse(table), 2)
    assert all(only is None for only in found["only"][:2])
    single = found.iloc[-1]
    assert single["role"] == "best single"
    assert single["policy"] == single["only"]
    row = table.trials[table.trials["trial"] == single["trial"]].iloc[-1]
    assert row[f"on.{single['only']}"]


def test_where_nothing_ended_there_is_nothing_to_confirm(world, sweep):
    table = sweep(world(1), trials=60, blocks=3, seed=1)
    finished = table.trials.loc[
        (table.trials["decision"] == "done") & (table.trials["size"] > 0), "trial"
    ]
    table = replace(table, trials=table.trials[~table.trials["trial"].isin(finished)])
    with pytest.raises(TableError, match="nothing to confirm"):
        candidates(analyse(table), 3)


def test_what_a_setting_adds_is_expected_and_no_luck(world, sweep):
    table = sweep(world(1), trials=60, blocks=3, seed=1)
    names, rng = table.trials["trial"].unique(), np.random.default_rng(0)
    rate = table.trials["trial"].map(dict(zip(names, rng.uniform(-4, -2, len(names)), strict=True)))
    # Twenty points from the slowest to the fastest: far more than any augmentation does.
    changes = {"hp.pretrain.learning_rate": 10**rate, "macro_f1": table.trials["macro_f1"] * 0.7}
    changes["macro_f1"] += 0.1 * (rate + 3)
    analysis = analyse(replace(table, trials=table.trials.assign(**changes)))
    board = scores(analysis.chosen, analysis.posterior)
    rates = board["trial"].map(dict(zip(table.trials["trial"], rate, strict=True)))
    assert abs(np.corrcoef(board["optimism"], rates)[0, 1]) < 0.5
    assert np.corrcoef(board["expected"], rates)[0, 1] > 0.9
    assert rates[board["trial"].isin(candidates(analysis, 3)["trial"][:3])].min() > -2.5
