"""Every warning is raised by a table that deserves it, and not by one that does not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sleepsweep.results import STAGES, ResultsTable, TableError
from sleepsweep_analysis import analyse
from sleepsweep_analysis.comparable import comparable
from sleepsweep_analysis.warnings import CLAIMS, Check, Evidence, refused
from sleepsweep_analysis.warnings.aliasing import inflation, ties
from sleepsweep_analysis.warnings.composition import size_composition, surprise
from sleepsweep_analysis.warnings.outcome import no_rungs
from sleepsweep_analysis.warnings.power import model_check


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
    return sweep(world(1), trials=48, blocks=10, seed=2, rungs=2)


def _level(table: ResultsTable, code: str) -> str:
    found = analyse(table).check(code)
    return found.level if found else "absent"


F1 = [f"f1.{stage}" for stage in STAGES]


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
        ("CENSORED", _put(lambda t: t["order"] > 30, decision="stop"), {}, "green"),
        ("PLACEBO", _put(lambda t: t["on.Placebo"], macro_f1=0.9), {}, "red"),
        ("LEAK_TEST", _put(lambda t: t["order"] == 3, selected_on=""), {}, "amber"),
        ("ADAPTIVE", _put(everything, kind="search"), {"sampler": ""}, "amber"),
        ("ADAPTIVE", _put(everything, kind="anchor"), {"sampler": "tpe"}, "green"),
        ("SEED_IS_SPLIT", _put(everything, split_from="seed"), {}, "amber"),
        ("SEED_IS_SPLIT", _put(everything, split_from=""), {}, "absent"),
        ("LENGTH", _put(lambda t: t["on.TimeWarping"], steps_trained=9000), {}, "amber"),
        ("LENGTH", _put(lambda t: t["order"] % 2 == 0, steps_trained=9000), {}, "green"),
        ("LENGTH", _put(everything, steps_trained=0), {}, "absent"),
        ("FEW_STAGES", _put(everything, **dict.fromkeys(F1, np.nan)), {}, "absent"),
        ("ALIASED", _put(lambda t: t["size"] > 2, stop_rule="patience"), {}, "red"),
        ("ALIASED", _put(lambda t: t["size"] > 2, batch_size=64), {}, "red"),
        ("ALIASED", _put(lambda t: t["order"] > 20, version="0.2"), {}, "green"),
        ("ALIASED", _put(lambda t: t["order"] % 3 == 0, version="0.2"), {}, "green"),
        ("ALIASED", lambda t: t.update({"on.SignFlip": t["on.TimeWarping"]}), {}, "red"),
        ("NO_RUNGS", _put(lambda t: t["decision"] == "stop", decision="done"), {}, "absent"),
        ("LEAK_SUBJECT", _put(everything), {}, "absent"),
        ("MODEL_CHECK", _put(everything), {}, "absent"),
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
    failed = more.assign(macro_f1=float("nan"), decision="failed")
    begun = replace(table, trials=pd.concat([table.trials, failed], ignore_index=True))
    assert analyse(begun).check("WINNER").level == "amber"
    pd.testing.assert_frame_equal(analysis.categories, analyse(table).categories)


def test_power_is_enough_where_noise_is_small(table):
    trials = table.trials.copy()
    names = list(table.study.categories)
    trials["macro_f1"] = 0.6 + trials[[f"on.{n}" for n in names]].to_numpy() @ np.full(14, 0.004)
    trials["macro_f1"] += np.random.default_rng(0).normal(0, 2e-4, len(trials))
    assert _level(replace(table, trials=trials), "UNDERPOWERED") == "green"


def _evidence(table: ResultsTable, **given) -> Evidence:
    """What the checks of a table's design read; nothing that needs the model."""
    last = table.trials[table.trials["last"]]
    nothing = dict.fromkeys(("effects", "crosschecks"), pd.DataFrame())
    made = {"study": table.study, "trials": last, "all": table.trials, "subjects": table.subjects,
            "chosen": comparable(table), "noise": 1.0, "reached": 1, "confirmed": 0,
            "flips": ()}  # fmt: skip
    return Evidence(**{**made, **nothing, **given})


def test_a_refusal_gives_the_reason_of_the_first_check_that_refuses():
    checks = [
        Check("A", "red", "", "first", ("size",)),
        Check("B", "amber", "", "second", ("size", "best")),
        Check("C", "green", "", ""),
    ]
    assert refused(checks) == {"size": "first", "best": "second"}


def test_a_good_sweep_may_claim_all_but_a_best_policy(table):
    assert set(analyse(table).refused) == {"best"}


@pytest.mark.parametrize(
    ("change", "study", "claims"),
    [
        (_put(lambda t: t["order"] > 8, decision="stop"), {}, {"size", "final"}),
        (_put(everything, kind="search"), {"sampler": "tpe"}, {"raw"}),
        (_put(lambda t: t["size"] > 2, protocol="late"), {}, {"size"}),
        (_put(lambda t: t["on.TimeWarping"], protocol="late"), {}, set()),
    ],
)
def test_a_warning_takes_claims_away(table, change, study, claims):
    prepared = replace(table, trials=table.trials.assign(protocol="early"))
    assert set(analyse(_edit(prepared, change, **study)).refused) - {"best"} == claims
    assert claims <= set(CLAIMS)


def test_only_policies_of_one_size_alias_the_ranking(world, sweep):
    table = sweep(world(1), trials=300, blocks=3, seed=1, rungs=1, designs=False)
    alone = replace(table, trials=table.trials[table.trials["size"] == 2])
    switches = alone.trials[[f"on.{name}" for name in table.study.categories]].astype(float)
    assert np.linalg.matrix_rank(switches.assign(one=1)) == switches.any().sum()
    assert len(switches) > switches.any().sum()
    analysis = analyse(alone)
    assert "ranking" in analysis.refused
    assert "one size" in analysis.check("NO_BASELINE").sentence


def test_inflation_is_that_of_the_inverse_correlation_matrix(table):
    seen = _evidence(table)
    rows = seen.chosen.one_a_trial
    columns = np.hstack(
        [pd.get_dummies(rows["block"], drop_first=True), rows[seen.chosen.switches]]
    ).astype(float)
    factors = np.diag(np.linalg.inv(np.corrcoef(columns.T)))[-len(seen.chosen.pool) :]
    slow = [name for name, vif in zip(seen.chosen.pool, factors, strict=True) if vif > 2]
    assert 0 < len(slow) < 14
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sleepsweep_analysis.warnings.aliasing.VIF", 2.0)
        assert inflation(seen) == slow


def test_fields_that_change_together_are_one_tie(table):
    real = [f"on.{name}" for name in table.study.categories if name != "Placebo"]
    large = table.trials[real].sum(axis=1) > 2
    change = _put(lambda _: large, stop_rule="patience", batch_size=64, host="other")
    (tie,) = [t for t in ties(_evidence(_edit(table, change))) if t.grouping == "size"]
    assert tie.fields == ("batch_size", "stop_rule")
    assert tie.values == (("256", "64"), ("asha", "patience"))
    assert tie.levels == ("0", "1", "2", "3", "4", "5")
    assert tie.share == 1.0


def _in_large_sets(table: ResultsTable, name: str) -> ResultsTable:
    """Sets of four and more always contain `name`, in place of one of their members."""
    trials = table.trials.copy()
    switches = [f"on.{n}" for n in table.study.categories if n != "Placebo"]
    for row in trials.index[(trials["size"] >= 4) & ~trials[f"on.{name}"]]:
        first = next(switch for switch in switches if trials.loc[row, switch])
        trials.loc[row, [first, f"on.{name}"]] = [False, True]
    return replace(table, trials=trials)


def test_sizes_made_of_other_augmentations(world, sweep):
    table = sweep(world(1), trials=80, blocks=4, seed=1, rungs=1)
    check = size_composition(_evidence(_in_large_sets(table, "SignFlip")))
    assert check.level == "amber"
    assert "share of SignFlip" in check.sentence


def test_an_augmentation_in_every_set_is_no_composition(world, sweep):
    table = sweep(world(1), trials=100, blocks=4, seed=1, rungs=1)
    always = _edit(table, lambda t: t.update({"on.SignFlip": t["order"] >= 0}))
    assert size_composition(_evidence(always)).level == "green"


@pytest.mark.parametrize("trials", [60, 100])
def test_the_luck_of_a_uniform_draw_is_no_composition(world, sweep, trials):
    tables = [sweep(world(1), trials=trials, blocks=4, seed=s, rungs=1) for s in range(12)]
    assert {size_composition(_evidence(table)).level for table in tables} == {"green"}


def test_surprise_has_the_distribution_of_a_p_value():
    generator = np.random.default_rng(5)
    found = []
    for _ in range(60):
        sizes = generator.integers(1, 5, 30)
        order = np.array([generator.permutation(8) for _ in sizes])
        found.append(surprise((order < sizes[:, None]).astype(float), sizes))
    assert 0.35 < np.mean(found) < 0.65
    assert np.mean(np.array(found) < 0.1) < 0.25


def test_stopped_trials_without_rungs_are_left_out_and_told(table):
    change = _put(lambda t: t["order"] > 40, decision="stop", macro_f1=np.nan)
    seen = _evidence(_edit(table, change))
    check = no_rungs(seen)
    assert check.level == "amber"
    assert check.sentence.startswith("7 of ")
    assert not seen.chosen.rows["order"].gt(40).any()
    kept = no_rungs(_evidence(_edit(table, _put(lambda t: t["order"] > 40, decision="stop"))))
    assert kept.level == "green"


def test_a_stopped_score_of_unknown_length_is_left_out(table):
    last = replace(table, trials=table.trials[table.trials["rung"] == 3])
    change = _put(lambda t: t["order"] % 4 == 0, decision="stop")
    seen = _evidence(_edit(last, lambda t: (change(t), t.update({"step": 0 * t["step"]}))))
    assert no_rungs(seen).level == "amber"
    assert "stopped early" in seen.chosen.left_out["reason"].iloc[0]


def test_other_estimators_that_disagree_are_named(table):
    frame = pd.DataFrame(
        {"augmentation": ["SignFlip", "TimeWarping"], "method": "anchors", "effect": 1.0,
         "low": 0.0, "high": 2.0, "n": 10, "apart": [True, False]}
    )  # fmt: skip
    check = model_check(_evidence(table, crosschecks=frame))
    assert check.level == "amber"
    assert "SignFlip." in check.sentence
    calm = model_check(_evidence(table, crosschecks=frame.assign(apart=False)))
    assert calm.level == "green"


def test_a_subject_in_two_roles_refuses_the_analysis(world, sweep):
    table = sweep(world(1), trials=30, blocks=3, seed=1, subjects=3)
    assert analyse(table).check("LEAK_SUBJECT").level == "green"
    change = _put(lambda t: t["order"] == 20, selected_on="test", kind="confirmation")
    with pytest.raises(TableError, match=r"LEAK_SUBJECT: subject 00, subject 01, subject 02.*refu"):
        analyse(_edit(table, change))


def test_a_search_that_follows_scores_is_adaptive(world, sweep):
    table = sweep(world(1), trials=40, blocks=3, seed=1, designs=False, sampler="tpe")
    only = _edit(table, _put(everything, kind="search"))
    check = analyse(only).check("ADAPTIVE")
    assert (check.level, check.refuses) == ("red", ("raw",))
