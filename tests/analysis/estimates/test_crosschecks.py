"""Cross-checks against slow derivations."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import studentized_range, ttest_1samp

from sleepsweep_analysis import analyse
from sleepsweep_analysis.comparable import comparable
from sleepsweep_analysis.estimates.crosschecks import crosschecks, least_squares, screen
from sleepsweep_analysis.policies.tukey import letters, pairwise


@pytest.fixture
def table(world, sweep):
    return sweep(world(1), trials=90, blocks=3, seed=1, rungs=1, asha=False)


def test_least_squares_against_normal_equations(table):
    chosen = comparable(table)
    frame = least_squares(chosen, chosen.rows)
    rows = chosen.rows
    X = np.column_stack([
        rows[chosen.switches].to_numpy(float), pd.get_dummies(rows["block"]).to_numpy(float)
    ])  # fmt: skip
    solved, squares, *_ = np.linalg.lstsq(X, rows["points"].to_numpy(), rcond=None)
    se = np.sqrt(squares[0] / (len(X) - 17) * np.diag(np.linalg.inv(X.T @ X))[:14])
    np.testing.assert_allclose(frame["effect"], solved[:14])
    np.testing.assert_allclose(frame["se"], se)


def test_what_cannot_be_estimated_is_nan(table):
    chosen = comparable(table)
    always = chosen.rows.assign(**{"on.SignFlip": True})
    frame = least_squares(chosen, always).set_index("augmentation")
    assert np.isnan(frame.loc["SignFlip", "effect"])
    assert frame.drop("SignFlip")["effect"].notna().all()
    assert least_squares(chosen, chosen.rows.iloc[:0])["effect"].isna().all()


def test_matched_pairs_against_a_double_loop(table):
    analysis = analyse(table)
    frame = analysis.crosschecks
    mine = frame[(frame["method"] == "pairs") & (frame["augmentation"] == "SignFlip")].iloc[0]
    rows, switches = analysis.chosen.rows, analysis.chosen.switches
    differences = []
    for _, one in rows.iterrows():
        for _, other in rows.iterrows():
            changed = [s for s in switches if one[s] != other[s]]
            if one["block"] == other["block"] and changed == ["on.SignFlip"] and one["on.SignFlip"]:
                differences.append(one["points"] - other["points"])
    assert mine["n"] == len(differences) > 1
    interval = ttest_1samp(differences, 0).confidence_interval()
    np.testing.assert_allclose(mine[["effect", "low", "high"]].astype(float),
                               [np.mean(differences), *interval])  # fmt: skip


def test_a_cross_check_that_disagrees_is_apart(table):
    analysis = analyse(table)
    anchors = analysis.crosschecks[analysis.crosschecks["method"] == "anchors"]
    assert anchors["apart"].mean() <= 0.2
    moved = analysis.effects.assign(effect=analysis.effects["effect"] + 30)
    assert crosschecks(analysis.chosen, moved).query("method == 'plain'")["apart"].all()


def test_the_screen_sees_what_matters(table):
    trials = table.trials.copy()
    trials["macro_f1"] += 0.08 * trials["on.Permutation"]
    frame = screen(comparable(replace(table, trials=trials)), 0)
    assert frame.iloc[0]["augmentation"] == "Permutation"
    assert (frame["low"] <= frame["importance"]).all()
    few = comparable(replace(table, trials=table.trials.head(10)))
    assert screen(few, 0).empty


def _balanced(means, blocks=4, noise=0.5) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame([
        {"policy": f"p{i}", "block": b, "adjusted": mean + 3 * b + rng.normal(0, noise)}
        for i, mean in enumerate(means) for b in range(blocks)
    ])  # fmt: skip


def test_policies_without_a_shared_block_are_not_told_apart():
    rng = np.random.default_rng(0)
    halves = [("A", "B"), range(5)], [("C", "D"), range(5, 10)]
    rows = [
        (policy, block, 70.0 + (20.0 if policy == "D" else 0.0) + rng.normal(0, 0.3))
        for policies, blocks in halves
        for policy in policies
        for block in blocks
    ]
    frame = pd.DataFrame(rows, columns=["policy", "block", "adjusted"])
    means, apart = pairwise(frame)
    names = list(means.index)
    told = {frozenset((names[i], names[j])) for i, j in np.argwhere(apart)}
    assert told == {frozenset("CD")}


def test_tukey_against_the_balanced_formula():
    frame = _balanced([0.0, 0.4, 1.2, 3.0])
    wide = frame.pivot(index="policy", columns="block", values="adjusted")
    left = wide.sub(wide.mean(axis=1), axis=0) - wide.mean() + wide.to_numpy().mean()
    noise = (left.to_numpy() ** 2).sum() / (3 * 3)
    means, apart = pairwise(frame)
    by_policy = wide.mean(axis=1).loc[means.index].to_numpy()
    q = np.abs(by_policy[:, None] - by_policy[None, :]) / np.sqrt(noise / 4)
    np.testing.assert_array_equal(apart, studentized_range.sf(q, 4, 9) < 0.05)
    assert apart.any()
    assert not apart.all()


def test_letters_join_what_is_not_told_apart():
    found = letters(_balanced([0.0, 0.1, 9.0, 9.1], noise=1.0))
    assert found["p0"] == found["p1"] != found["p2"] == found["p3"]
    assert not set(found["p0"]) & set(found["p3"])
    assert letters(_balanced([0.0, 1.0], blocks=1)) == {}


def test_letters_of_a_chain_overlap(monkeypatch):
    names = pd.Series(range(3, 0, -1), index=["a", "b", "c"])
    apart = np.zeros((3, 3), dtype=bool)
    apart[0, 2] = apart[2, 0] = True
    monkeypatch.setattr(
        "sleepsweep_analysis.policies.tukey.pairwise", lambda scores: (names, apart)
    )
    assert letters(SimpleNamespace()) == {"a": "a", "b": "ab", "c": "b"}
