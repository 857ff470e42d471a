import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

from sleepsweep import forecast as forecasts
from sleepsweep.baselines import BASELINES
from sleepsweep.data.store import Store
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.standing import standing
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.folder.table import build_table
from sleepsweep.forecast import simulated
from sleepsweep.learn.pretrain import Pretraining
from sleepsweep.plan import Plan, make_plan
from sleepsweep.results import StudyInfo
from sleepsweep.search.pareto import pareto_rows
from sleepsweep.search.schedulers import make_scheduler
from sleepsweep.search.searcher import SweepSearcher
from sleepsweep.search.warmstart import past_of
from sleepsweep.space import Slot
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trainable import run_trial
from sleepsweep.trial import TrialSpec


@pytest.fixture
def with_baselines(sweep: Callable[..., SweepSpec], store: Store) -> Plan:
    """The tiny plan on two blocks, with every baseline."""
    return make_plan(sweep(search={"baselines": True}, split={"blocks": 2}))


def of_baselines(plan: Plan) -> list[tuple[Slot, TrialSpec]]:
    return [(slot, slot.trial) for slot in plan.slots if slot.kind == "baseline" and slot.trial]


def test_every_baseline_is_run_once_a_block_unless_switched_off(
    sweep: Callable[..., SweepSpec], with_baselines: Plan
) -> None:
    found = of_baselines(with_baselines)
    assert [(trial.baseline, trial.block) for _, trial in found] == [
        (name, block) for name in BASELINES for block in (0, 1)
    ]
    assert len({trial.id for _, trial in found}) == 6
    assert {(trial.rungs, trial.size) for _, trial in found} == {((4,), 0)}
    some = make_plan(sweep(search={"baselines": ["with_labels"]}))
    assert [trial.policy_text for _, trial in of_baselines(some)] == ["baseline: with_labels"]
    usual = {"name": "x", "augmentations": {"size": [0, 1], "pool": {"SignFlip": {}}}}
    assert SweepSpec.model_validate(usual).search.baselines == tuple(BASELINES)
    with pytest.raises(ValidationError, match="supported: untrained, band_powers, with_labels"):
        sweep(search={"baselines": ["random"]})


def test_baselines_move_no_trial_and_no_trial_moves_them(
    sweep: Callable[..., SweepSpec], with_baselines: Plan
) -> None:
    without = make_plan(sweep(split={"blocks": 2})).slots
    assert list(with_baselines.slots)[: len(without)] == without
    more = make_plan(sweep(search={"baselines": True, "trials": 9}, split={"blocks": 2}))
    assert of_baselines(more) == of_baselines(with_baselines)
    assert max(slot.order for slot, _ in of_baselines(more)) == -1


def test_a_trial_that_is_no_baseline_does_not_mention_any(plan: Plan) -> None:
    trial = plan.slots[0].trial
    assert trial is not None
    assert "baseline" not in trial.model_dump(mode="json")


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_reports_one_rung_of_every_validation_subject(
    name: str, with_baselines: Plan
) -> None:
    trial = next(trial for _, trial in of_baselines(with_baselines) if trial.baseline == name)
    again = TrialSpec.model_validate(json.loads(trial.model_dump_json()))
    assert again.id == trial.id
    (one,), (two,) = (list(run_trial(each, with_baselines.store)) for each in (trial, again))
    assert one.confusions == two.confusions
    assert (one.rung, one.step, one.collapsed) == (0, 4, False)
    assert set(one.confusions) == set(trial.validation)
    assert one.pooled.sum() == 40 * len(trial.validation)


def test_an_untrained_encoder_is_where_the_trials_of_its_block_begin(
    with_baselines: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pretraining, "run", lambda *_: 0.0)
    untrained = of_baselines(with_baselines)[0][1]
    none = with_baselines.space.trial((), 0)
    first = next(run_trial(none, with_baselines.store))
    assert next(run_trial(untrained, with_baselines.store)).confusions == first.confusions


def record(plan: Plan, name: str, score: float) -> TrialRecord:
    slot, trial = next(found for found in of_baselines(plan) if found[1].baseline == name)
    row = next(run_trial(trial, plan.store)).plain
    row |= {"macro_f1": score, "decision": "done", "host": "", "device": "", "version": ""}
    row["bracket"] = 0
    return TrialRecord(slot.order, slot.kind, slot.design, trial, rows=[row])


def test_a_recorded_baseline_is_no_rival_at_the_rungs(with_baselines: Plan) -> None:
    scheduler = make_scheduler(with_baselines.spec, [record(with_baselines, "with_labels", 0.99)])
    config = {"id": "a", "block": 0, "kind": "search", "bracket": 0}
    for score in (0.1, 0.1):
        result = {"step": 2, "rung": 1, "macro_f1": score, "collapsed": False}
        decided = scheduler.on_trial_result(None, SimpleNamespace(config=config), result)
        assert decided == "CONTINUE"


def test_neither_the_status_nor_the_pareto_list_takes_a_baseline_for_the_best(
    with_baselines: Plan, tmp_path: Path
) -> None:
    folder = SweepFolder(tmp_path)
    folder.begin(with_baselines.manifest(), fresh=False)
    baseline = record(with_baselines, "with_labels", 0.99)
    slot = with_baselines.slots[0]
    assert slot.trial is not None
    none = TrialRecord(0, slot.kind, slot.design, slot.trial,
                       rows=[{**baseline.rows[0], "macro_f1": 0.4, "recorded_ms": 0}])  # fmt: skip
    baseline.rows[0]["recorded_ms"] = 0
    for each in (baseline, none):
        folder.trial_started(each)
        folder.rung_reported(each, each.rows[0])
    found = standing(folder, 1.0)
    assert found.best is not None
    assert found.best["policy"] == "none"
    assert [(rung["reached"], rung["best_macro_f1"]) for rung in found.rungs] == [(1, 0.4)]
    assert found.trials["done"] == 2
    assert found.planned == len(with_baselines.slots)
    assert [row["policy"] for row in pareto_rows([baseline, none], ["macro_f1"])] == ["none"]


def test_a_forecast_counts_baselines_and_their_steps_and_times_policies(
    with_baselines: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[TrialSpec] = []

    def measure(trial: TrialSpec, *_: object) -> tuple[float, float]:
        timed.append(trial)
        return 1.0, 0.0

    monkeypatch.setattr(forecasts, "measure", measure)
    table = simulated(with_baselines, lambda *_: 0.5)
    last = table.trials[table.trials["last"]]
    assert set(last.loc[last["kind"] == "baseline", "decision"]) == {"done"}
    found = forecasts.forecast(with_baselines, [table])
    assert found.kinds["baseline"] == 6
    assert sum(found.sizes.values()) == len(with_baselines.slots) - 6
    others = last[last["kind"] != "baseline"]
    assert found.busy_s == others["step"].sum() + 2 * 4  # those with labels, on two blocks
    assert all(trial.baseline is None for trial in timed)


def test_a_search_learns_nothing_from_baselines(with_baselines: Plan) -> None:
    manifest = with_baselines.manifest()
    records = [record(with_baselines, name, 0.5) for name in BASELINES]
    table = build_table(records, StudyInfo.of_plain(manifest["study"]), manifest["provenance"])
    past = past_of(table, with_baselines.spec, "there")
    assert (past.trials, past.outside) == ([], {})


def test_nor_does_it_from_those_of_its_own_sweep(with_baselines: Plan) -> None:
    records = [record(with_baselines, name, 0.9) for name in BASELINES]
    search = SweepSearcher(with_baselines.space, with_baselines.slots, records)
    heard: list[object] = []
    for number in range(len(with_baselines.slots)):
        config = search.suggest(f"t{number}")
        heard.append(config["kind"])
        search.on_trial_result(f"t{number}", {"rung": 0, "step": 4, "macro_f1": 0.9})
        search.on_trial_complete(f"t{number}", {"rung": 0, "step": 4, "macro_f1": 0.9})
    assert heard.count("baseline") == 6
    assert len(search.history._entries) == len(heard) - 6


def test_the_table_tells_a_baseline_and_how_long_it_trained(with_baselines: Plan) -> None:
    records = [record(with_baselines, name, 0.5) for name in BASELINES]
    manifest = with_baselines.manifest()
    study = StudyInfo.of_plain(manifest["study"])
    table = build_table(records, study, manifest["provenance"]).trials
    assert set(table["kind"]) == {"baseline"}
    assert table.set_index("policy")["steps_trained"].to_dict() == {
        "baseline: untrained": 0, "baseline: band_powers": 0, "baseline: with_labels": 4,
    }  # fmt: skip
    assert (table["step"] == 4).all()
    assert np.isnan(table["loss"]).all()
