"""The short form of an analysis says what the long one does, and no more."""

from copy import copy

import numpy as np
import pandas as pd
import pytest

from sleepsweep_analysis import Analysis, analyse
from sleepsweep_analysis.keyresults import key_results


@pytest.fixture
def analysis(world, sweep) -> Analysis:
    return analyse(sweep(world(1), trials=60, blocks=4, seed=1, rungs=2))


def _but(analysis: Analysis, **tables: object) -> Analysis:
    """`analysis` with some of its tables, which it would compute when asked, given."""
    made = copy(analysis)
    vars(made).update(tables)
    return made


def test_they_are_those_of_the_tables(analysis):
    found = key_results(analysis)
    top = analysis.categories[analysis.categories["category"] != "placebo"].iloc[0]
    assert found["top_category"] == top["category"]
    assert found["top_category_low"] <= found["top_category_effect"] <= found["top_category_high"]
    assert found["top_category_verdict"] == top["verdict"]
    assert found["best_policy"] == analysis.leaderboard["policy"].iloc[0]
    assert found["best_policy_confirmed"] == "no"
    reds = sum(check.level == "red" for check in analysis.checks)
    assert found["warnings_red"] == reds
    assert all(isinstance(v, str) or np.isfinite(v) for v in found.values())


def test_a_confirmed_policy_comes_before_the_leaderboard(analysis):
    frame = pd.DataFrame({"rank": [2, 1], "policy": ["B", "A"], "score": [60.0, 61.0]})
    found = key_results(_but(analysis, confirmation=frame))
    assert (found["best_policy"], found["best_policy_score"]) == ("A", 61.0)
    assert found["best_policy_confirmed"] == "yes"


def test_a_refused_claim_is_refused_here_too(analysis):
    found = key_results(_but(analysis, refused={"size": "why", "ranking": "why"}))
    assert found["size_verdict"] == "refused"
    assert found["top_category_verdict"] == "refused"
    assert found["refused"] == "size, ranking"


@pytest.mark.parametrize(
    ("low", "high", "p_best", "says"),
    [
        ([0, 1, 2], [0, 3, 4], [0.01, 0.4, 0.59], "1, 2"),
        ([0, -1, -1], [0, 3, 4], [0.2, 0.4, 0.4], "cannot tell"),
        ([0, -0.1, -0.2], [0, 0.1, 0.3], [0.2, 0.4, 0.4], "practically equal"),
        ([0, -3, -4], [0, -1, -2], [0.99, 0.01, 0.0], "0"),
    ],
)
def test_the_verdict_on_size(analysis, low, high, p_best, says):
    sizes = pd.DataFrame({"size": [0, 1, 2], "low": low, "high": high, "p_best": p_best})
    made = _but(analysis, size_curve=sizes, refused={})
    assert key_results(made)["size_verdict"] == says
