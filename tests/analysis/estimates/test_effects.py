"""The tables of effects, categories, sizes, pairs, settings and covariates, on planted truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sleepsweep.results import TableError
from sleepsweep_analysis import analyse
from sleepsweep_analysis.simulation import CATEGORIES
from sleepsweep_analysis.simulation.world import NO_DIAL
from sleepsweep_analysis.study import Analysis


@pytest.fixture
def planted(world):
    """A world whose SignFlip and TimeReversal spoil each other, TimeWarping best when strong."""
    planted = world(4)
    names = list(CATEGORIES)
    pairs, slopes, bends = planted.pairs.copy(), planted.slopes * 0, planted.bends * 0
    j, k = names.index("SignFlip"), names.index("TimeReversal")
    pairs[j, k] = pairs[k, j] = -6.0
    slopes[names.index("TimeWarping")] = 6.0
    return replace(planted, pairs=pairs, slopes=slopes, bends=bends)


@pytest.fixture
def analysis(planted, sweep) -> Analysis:
    return analyse(sweep(planted, trials=150, blocks=5, seed=4, asha=False, rungs=2))


def test_a_category_answers_three_questions(analysis):
    frame = analysis.categories.set_index("category")
    effects = analysis.effects.set_index("augmentation")["effect"]
    for category, row in frame.iterrows():
        members = [name for name, found in CATEGORIES.items() if found == category]
        assert row["effect"] == pytest.approx(effects[members].mean())
        assert row["best_member"] in members
        assert row["best_effect"] >= effects[members].max() - 0.05
        if category != "placebo":
            assert row["new_high"] - row["new_low"] > row["high"] - row["low"]
            assert row["new_effect"] == pytest.approx(row["effect"], abs=1.0)
    assert np.isnan(frame.loc["placebo", "new_effect"])


def test_two_that_spoil_each_other_are_found(analysis):
    frame = analysis.interactions
    assert len(frame) == 13 * 12 / 2
    worst = frame.iloc[int(frame["effect"].to_numpy().argmin())]
    assert {worst["first"], worst["second"]} == {"SignFlip", "TimeReversal"}
    assert worst["high"] < 0


def test_pairs_that_never_ran_together_are_told_from_nothing(planted, sweep):
    table = sweep(planted, trials=60, blocks=3, seed=4)
    apart = table.trials[~(table.trials["on.SignFlip"] & table.trials["on.TimeReversal"])]
    frame = analyse(replace(table, trials=apart)).interactions
    row = frame[(frame["first"] == "SignFlip") & (frame["second"] == "TimeReversal")].iloc[0]
    assert not row["observed"]
    assert row["trials_both"] == 0
    assert row["verdict"] == "cannot tell"
    assert np.isnan(row["p_holm"])


def test_a_setting_that_matters_has_its_optimum(analysis):
    frame = analysis.optima.set_index("augmentation")
    assert set(frame.index) == set(CATEGORIES) - set(NO_DIAL)
    row = frame.loc["TimeWarping"]
    assert row["verdict"] == "optimum"
    assert row["optimum"] > 0.85
    assert row["gain_low"] > 0
    others = frame.drop("TimeWarping")["verdict"]
    assert (others == "optimum").mean() <= 0.2


def test_a_curve_is_the_change_from_its_mean(analysis):
    curve = analysis.doses[analysis.doses["augmentation"] == "TimeWarping"]
    assert len(curve) == 21
    ends = curve["effect"].iloc[[0, -1]].to_numpy()
    assert 2.5 < ends[1] - ends[0] < 8.0  # one dial of ten matters: it is pulled to the others
    # Simpson's rule over the curve: it averages to nothing.
    weights = np.array([1, *([4, 2] * 9), 4, 1]) / 60
    assert weights @ curve["effect"] == pytest.approx(0.0, abs=1e-6)


def test_an_effect_that_turns_with_the_temperature_is_found(world, sweep):
    table = sweep(world(1), trials=120, blocks=4, seed=1, asha=False, rungs=1)
    temperature = np.random.default_rng(0).uniform(0.05, 0.5, 120)[table.trials["order"]]
    z = (np.log(temperature) - np.log(0.05)) / np.log(10) - 0.5
    moved = table.trials["macro_f1"] + 0.05 * z * table.trials["on.Permutation"] + 0.03 * z
    trials = table.trials.assign(**{"hp.pretrain.temperature": temperature, "macro_f1": moved})
    analysis = analyse(replace(table, trials=trials))
    frame = analysis.robustness.set_index("augmentation")
    assert frame.loc["Permutation", "verdict"] == "changes"
    assert frame.loc["Permutation", "change"] == pytest.approx(5.0, abs=2.0)
    assert (frame["verdict"] == "changes").sum() <= 2
    main = analysis.covariates
    assert main["kind"].unique().tolist() == ["number"]
    assert main["effect"].iloc[-1] == pytest.approx(3.0, abs=2.0)


def test_a_choice_has_a_row_a_level(world, sweep):
    table = sweep(world(1), trials=80, blocks=4, seed=1, asha=False, rungs=1)
    loss = np.where(table.trials["order"] % 3 == 0, "vicreg", "nt_xent")
    moved = table.trials["macro_f1"] - 0.04 * (loss == "vicreg")
    trials = table.trials.assign(**{"hp.pretrain.loss": loss, "macro_f1": moved})
    analysis = analyse(replace(table, trials=trials))
    frame = analysis.covariates
    assert frame["value"].tolist() == ["nt_xent", "vicreg"]
    assert frame["trials"].tolist() == [
        len(
            set(analysis.chosen.rows.loc[analysis.chosen.rows["hp.pretrain.loss"] == name, "trial"])
        )
        for name in ("nt_xent", "vicreg")
    ]
    assert frame["effect"].tolist() == [0.0, pytest.approx(-4.0, abs=1.0)]


def test_nothing_searched_gives_empty_tables_with_columns(world, sweep):
    table = sweep(world(1), trials=40, blocks=3, seed=1)
    plain = [column for column in table.trials if not column.startswith("severity.")]
    analysis = analyse(replace(table, trials=table.trials[plain]))
    for frame in (analysis.doses, analysis.optima, analysis.covariates, analysis.robustness):
        assert isinstance(frame, pd.DataFrame)
        assert frame.empty
        assert "low" in frame or "optimum_low" in frame


def test_sizes_count_real_augmentations(analysis):
    frame = analysis.size_curve
    assert frame["size"].tolist() == list(range(7))
    trials = analysis.trials
    alone = (trials["size"] == 0) | ((trials["size"] == 1) & trials["on.Placebo"])
    assert frame["trials"].iloc[0] == alone.sum()
    shares = analysis.composition.groupby("size")["share"].sum()
    np.testing.assert_allclose(shares, shares.index)


def test_effects_can_be_asked_over_other_sizes(planted, sweep):
    table = sweep(planted, trials=60, blocks=3, seed=4)
    small = analyse(table, reference=(1, 2))
    assert small.chosen.largest == 2
    assert small.size_curve["size"].tolist() == [0, 1, 2]
    assert not np.allclose(small.effects["effect"], analyse(table).effects["effect"])


@pytest.mark.parametrize("sizes", [(0, 2), (3, 2), (1, 14)])
def test_sizes_that_no_set_has_are_refused(planted, sweep, sizes):
    with pytest.raises(TableError, match="between 1 and 13"):
        analyse(sweep(planted, trials=40, blocks=3), reference=sizes)
