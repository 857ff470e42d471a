"""Confirmation, the best trial against none, and sensitivity, against slow derivations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from sleepsweep.results import CONFUSION_CELLS, ResultsTable, macro_f1
from sleepsweep_analysis import analyse
from sleepsweep_analysis.estimates.sensitivity import holds
from sleepsweep_analysis.policies.confirmation import COLUMNS, confirmation

PEOPLE, BLOCKS = 6, 4


@pytest.fixture
def table(world, sweep) -> ResultsTable:
    return sweep(world(1), trials=40, blocks=3, seed=1, subjects=PEOPLE)


@pytest.fixture
def confirmed(table) -> ResultsTable:
    """Two policies and none on four fresh blocks, scored on the same six test subjects."""
    rng = np.random.default_rng(5)
    like = table.trials[table.trials["last"]].iloc[0]
    rows, people = [], []
    for policy, size, accuracy in (("best", 3, 0.8), ("single", 1, 0.7), ("none", 0, 0.6)):
        for block in range(BLOCKS):
            trial = f"{policy}-{block}"
            cells = rng.multinomial(300, _rates(accuracy + rng.normal(0, 0.02)), size=PEOPLE)
            score = macro_f1(cells.sum(axis=0).reshape(5, 5))
            rows.append({**like, "trial": trial, "policy": policy, "size": size, "rung": 3,
                         "kind": "confirmation", "block": 100 + block, "macro_f1": score,
                         "selected_on": "test", "order": 900 + len(rows)})  # fmt: skip
            people += [
                {"trial": trial, "rung": 3, "subject": f"test {i}",
                 **dict(zip(CONFUSION_CELLS, map(int, each), strict=True))}
                for i, each in enumerate(cells)
            ]  # fmt: skip
    trials = pd.concat([table.trials, pd.DataFrame(rows)], ignore_index=True)
    subjects = pd.concat([table.subjects, pd.DataFrame(people)], ignore_index=True)
    return replace(table, trials=trials, subjects=subjects)


def _rates(accuracy: float) -> np.ndarray:
    rates = np.full((5, 5), (1 - accuracy) / 20) + np.eye(5) * (accuracy / 5 - (1 - accuracy) / 20)
    return rates.ravel() / rates.sum()


def _f1(table: ResultsTable, trial: str, without: str | None = None) -> float:
    found = table.confusions(trial, 3)
    return 100 * macro_f1(sum(m for name, m in found.items() if name != without))


def _slow(table: ResultsTable, values: list[float], left: list[float]) -> tuple[float, ...]:
    n, m = len(values), len(left)
    among = sum((v - np.mean(values)) ** 2 for v in values) / (n - 1) / n
    over = (m - 1) / m * sum((v - np.mean(left)) ** 2 for v in left)
    half = t.ppf(0.975, min(n, m) - 1) * np.sqrt(among + over)
    return np.mean(values), np.mean(values) - half, np.mean(values) + half


def test_intervals_join_blocks_and_subjects(confirmed):
    frame = confirmation(confirmed).set_index("policy")
    assert frame["rank"].to_dict() == {"best": 1, "single": 2, "none": 3}
    people = [f"test {i}" for i in range(PEOPLE)]
    blocks = range(BLOCKS)
    scores = [_f1(confirmed, f"best-{b}") for b in blocks]
    left = [np.mean([_f1(confirmed, f"best-{b}", name) for b in blocks]) for name in people]
    found = frame.loc["best", ["score", "low", "high"]].astype(float)
    np.testing.assert_allclose(found, _slow(confirmed, scores, left))
    gains = [_f1(confirmed, f"best-{b}") - _f1(confirmed, f"none-{b}") for b in blocks]
    left = [
        np.mean([
            _f1(confirmed, f"best-{b}", name) - _f1(confirmed, f"none-{b}", name) for b in blocks
        ])
        for name in people
    ]  # fmt: skip
    found = frame.loc["best", ["gain", "gain_low", "gain_high"]].astype(float)
    np.testing.assert_allclose(found, _slow(confirmed, gains, left))
    assert frame.loc["best", "verdict"] == "better"
    assert frame.loc["best", "subjects"] == PEOPLE


def test_none_has_no_gain_and_one_block_no_interval(confirmed):
    frame = confirmation(confirmed).set_index("policy")
    assert np.isnan(frame.loc["none", "gain"])
    assert frame.loc["none", "verdict"] == "reference"
    one = replace(confirmed, trials=confirmed.trials[confirmed.trials["block"] <= 100])
    assert confirmation(one)[["low", "high"]].isna().all(axis=None)


def test_a_gain_is_over_none_with_the_same_settings(confirmed):
    rate, rows = "hp.pretrain.learning_rate", confirmed.trials
    ours = rows["kind"] == "confirmation"
    # The single was confirmed with a rate at which everything is 20 points worse.
    of_single = rows[ours & rows["policy"].isin(["single", "none"])]
    slow = of_single.assign(
        trial=of_single["trial"] + "-slow", macro_f1=of_single["macro_f1"] - 0.2
    )
    slow[rate] = 1e-5
    people = confirmed.subjects[confirmed.subjects["trial"].isin(of_single["trial"])]
    people = people.assign(trial=people["trial"] + "-slow")
    kept = rows[~(ours & (rows["policy"] == "single"))].assign(**{rate: 1e-3})
    table = replace(
        confirmed,
        trials=pd.concat([kept, slow], ignore_index=True),
        subjects=pd.concat([confirmed.subjects, people], ignore_index=True),
    )
    before, frame = confirmation(confirmed).set_index("policy"), confirmation(table)
    assert frame["policy"].tolist() == ["best", "none", "single", "none"]
    assert frame["settings"].str.contains("learning_rate").all()
    assert frame["blocks"].eq(BLOCKS).all()
    gains = frame.set_index("policy").loc[["best", "single"], ["gain", "gain_low", "gain_high"]]
    np.testing.assert_allclose(
        gains.to_numpy(float), before.loc[gains.index, gains.columns].to_numpy(float)
    )


def test_who_missed_a_hard_block_is_not_ahead_for_that(confirmed):
    rows = confirmed.trials
    ours = rows["kind"] == "confirmation"
    hard = ours & (rows["block"] == 100)
    scores = rows["macro_f1"].mask(hard, rows["macro_f1"] - 0.5)
    # The single did not run on the hard block, so that its mean score is the highest.
    missed = hard & (rows["policy"] == "single")
    frame = confirmation(replace(confirmed, trials=rows.assign(macro_f1=scores)[~missed]))
    assert frame["policy"].tolist() == ["best", "single", "none"]
    assert frame["score"].idxmax() == 1


def test_without_confirmation_the_table_is_empty(table):
    assert confirmation(table).columns.tolist() == COLUMNS
    assert confirmation(table).empty


def test_confirmation_stays_out_of_the_model(table, confirmed):
    pd.testing.assert_frame_equal(analyse(confirmed).categories, analyse(table).categories)


def test_the_best_trial_is_compared_with_none_of_its_block(table):
    analysis = analyse(table)
    row = analysis.contrast.iloc[0]
    trials = analysis.trials.set_index("trial")
    assert trials.loc[row["baseline_trial"], "size"] == 0
    assert trials.loc[row["best_trial"], "block"] == trials.loc[row["baseline_trial"], "block"]
    difference = [_f1(table, row[f"{name}_trial"]) for name in ("best", "baseline")]
    assert row["difference"] == pytest.approx(difference[0] - difference[1])
    assert len(analysis.subjects) == row["subjects"] == PEOPLE
    assert analysis.confusions["best"].sum() == analysis.subjects["epochs"].sum()


def test_without_confusions_there_is_nothing_to_compare(world, sweep):
    analysis = analyse(sweep(world(1), trials=40, blocks=3, seed=1))
    assert analysis.contrast.empty
    assert analysis.subjects.empty
    assert analysis.confusions == {}


def test_sensitivity_asks_in_other_ways(table):
    frame = analyse(table).sensitivity
    variants = set(frame["variant"])
    assert {"accuracy", "kappa", "priors halved", "priors doubled", "designed trials only"} <= (
        variants
    )
    assert {f"without split {split}" for split in range(3)} <= variants
    # The accuracy of this simulation is its macro-F1, up to what people add.
    assert frame[frame["variant"] == "last rung only"]["holds"].mean() > 0.5


@pytest.mark.parametrize(
    ("before", "effect", "after", "expected"),
    [
        ("better", 0.5, "cannot tell", True),
        ("better", -0.5, "cannot tell", False),
        ("better", 2.0, "better", True),
        ("better", -2.0, "worse", False),
        ("cannot tell", 2.0, "better", False),
        ("cannot tell", 0.1, "practically equal", True),
        ("practically equal", -2.0, "worse", False),
    ],
)
def test_a_verdict_flips_only_when_it_is_contradicted(before, effect, after, expected):
    primary = pd.Series({"verdict": before, "effect": 1.0})
    assert holds(primary, effect, after) is expected


def test_noise_is_found_where_it_was_put(world, sweep):
    table = sweep(world(1), trials=150, blocks=12, seed=3, asha=False)
    frame = analyse(table).variance.set_index("component")
    assert frame.loc["trial", "sd"] == pytest.approx(np.hypot(0.64, 0.22), rel=0.35)
    assert frame.loc["trial", "low"] < frame.loc["trial", "sd"] < frame.loc["trial", "high"]
    assert frame.loc["block", "low"] < 1.43 < frame.loc["block", "high"]


def test_runs_needed_fall_with_the_effect(table):
    frame = analyse(table).runs_needed
    assert frame["effect"].tolist() == [0.5, 1.0, 2.0]
    assert frame["blocks"].is_monotonic_decreasing
    assert frame["trials"].is_monotonic_decreasing


def test_fidelity_has_a_row_for_each_early_rung(table):
    frame = analyse(table).fidelity
    assert frame["rung"].tolist() == [0, 1, 2]
    assert frame["rho"].between(-1, 1).all()
    assert (frame["rho_low"] <= frame["rho"]).all()
    assert frame["flips"].between(0, 1).all()
