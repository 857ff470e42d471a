from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from scipy import stats

from sleepsweep.results import ResultsTable
from sleepsweep_analysis import analyse
from sleepsweep_analysis.policies.baselines import COLUMNS, baselines
from sleepsweep_analysis.simulation import World

SCORES = {"baseline: untrained": [0.30, 0.32, 0.40], "baseline: with_labels": [0.71]}


@pytest.fixture
def tables(
    world: Callable[..., World], sweep: Callable[..., ResultsTable]
) -> tuple[ResultsTable, ResultsTable]:
    """A simulated sweep, and the same with baselines."""
    plain = sweep(world(1), trials=40)
    like = plain.trials.iloc[[0]]
    rows = [
        like.assign(
            trial=f"{policy}{block}", kind="baseline", design="", policy=policy, macro_f1=score,
            block=block, order=-1, rung=0, decision="done",
            **{name: False for name in like if str(name).startswith("on.")},
        )
        for policy, scores in SCORES.items()
        for block, score in enumerate(scores)
    ]  # fmt: skip
    return plain, replace(plain, trials=pd.concat([*rows, plain.trials], ignore_index=True))


def test_a_baseline_has_its_mean_and_students_interval_over_blocks(
    tables: tuple[ResultsTable, ResultsTable],
) -> None:
    found = baselines(tables[1]).set_index("policy")
    assert list(found.index) == ["baseline: with_labels", "baseline: untrained"]
    untrained = found.loc["baseline: untrained"]
    expected = stats.ttest_1samp([30.0, 32.0, 40.0], 0).confidence_interval(0.95)
    assert untrained["score"] == pytest.approx(34.0)
    assert (untrained["low"], untrained["high"]) == pytest.approx((expected.low, expected.high))
    assert found["blocks"].tolist() == [1, 3]
    assert found.loc["baseline: with_labels", ["low", "high"]].isna().all()
    assert baselines(tables[0]).columns.tolist() == COLUMNS
    assert baselines(tables[0]).empty


def test_baselines_are_counted_out_and_change_no_number(
    tables: tuple[ResultsTable, ResultsTable],
) -> None:
    plain, beside = (analyse(table) for table in tables)
    pd.testing.assert_frame_equal(plain.effects, beside.effects)
    pd.testing.assert_frame_equal(plain.leaderboard, beside.leaderboard)
    assert plain.checks == beside.checks
    reasons = beside.chosen.left_out.set_index("reason")["trials"]
    assert reasons[reasons.index.str.startswith("baselines")].tolist() == [4]
