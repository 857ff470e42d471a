"""Confirmations, and that nothing but them reads a test subject."""

import ast
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sleepsweep.confirmation import Candidate, ConfirmationPlan, candidates_of, make_confirmation
from sleepsweep.data.split import LeakError
from sleepsweep.data.store import Store
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder, happened
from sleepsweep.plan import Plan, make_plan, read_table
from sleepsweep.results import KINDS
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.sweep import run_sweep
from sleepsweep.trainable import Metrics, run_trial

ROOT = Path(__file__).parent.parent / "sleepsweep"


def anchor_records(plan: Plan) -> list[TrialRecord]:
    """The anchors of a plan, as if they had been run."""
    slots = [slot for slot in plan.slots if slot.trial is not None]
    return [TrialRecord(s.order, s.kind, s.design, s.trial) for s in slots if s.trial is not None]


def confirmed(plan: Plan, records: Sequence[TrialRecord], blocks: int = 2) -> ConfirmationPlan:
    picked = next(record for record in records if record.trial.size > 1)
    row = {"role": "top 1", "trial": picked.trial.id, "only": None}
    single = {**row, "role": "best single", "only": picked.trial.policy[0].name}
    return make_confirmation(plan, candidates_of([row, single], records), blocks, records)


@pytest.fixture
def folder(plan: Plan, tmp_path: Path) -> SweepFolder:
    found = SweepFolder(tmp_path)
    found.begin(plan.manifest(), fresh=False)
    return found


@pytest.fixture
def confirmation(plan: Plan) -> ConfirmationPlan:
    return confirmed(plan, anchor_records(plan))


def test_none_is_run_with_the_settings_of_each_policy(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    rates = {"learning_rate": {"loguniform": [1e-4, 1e-2]}}
    plan = make_plan(sweep(pretrain=rates, search={"trials": 6, "anchors": 1.0}))
    records = [record for record in anchor_records(plan) if record.trial.size]
    rows = [
        {"role": f"top {place}", "trial": record.trial.id, "only": None}
        for place, record in enumerate((records[0], records[1], records[0]), start=1)
    ]
    *chosen, first, second = candidates_of(rows, records)
    assert [candidate.role for candidate in chosen] == ["top 1", "top 2", "top 3"]
    assert (first.role, second.role) == ("none", "none")
    assert first.like.parts == records[0].trial.parts
    assert second.like.parts == records[1].trial.parts != records[0].trial.parts
    made = make_confirmation(plan, candidates_of(rows[:2], records), 2, records)
    none = [slot.trial.parts for slot in made.slots if slot.trial and slot.trial.size == 0]
    assert none == [records[0].trial.parts, records[1].trial.parts] * 2


def test_every_policy_runs_on_the_same_fresh_blocks(
    plan: Plan, confirmation: ConfirmationPlan
) -> None:
    trials = [slot.trial for slot in confirmation.slots if slot.trial is not None]
    blocks: dict[str, list[tuple[Any, ...]]] = {}
    for trial in trials:
        shared = (trial.block, trial.split, trial.seed, trial.train, trial.labelled)
        blocks.setdefault(trial.policy_text, []).append(shared)
    assert [slot.design for slot in confirmation.slots[:3]] == ["top 1", "best single", "none"]
    assert len(blocks) == 3
    assert len({tuple(each) for each in blocks.values()}) == 1
    used = {(block.split_index, block.seed) for block in plan.space.blocks}
    assert not used & {(trial.split, trial.seed) for trial in trials}
    for trial in trials:
        assert trial.scored == trial.test == plan.test
        assert not {*trial.train, *trial.validation} & {*trial.test}
        assert trial.rungs == plan.spec.rungs[-1:]


def test_an_ordinary_trial_is_called_as_before(confirmation: ConfirmationPlan, plan: Plan) -> None:
    trial = anchor_records(plan)[-1].trial
    assert "test" not in trial.model_dump(mode="json")
    tested = trial.model_validate({**trial.model_dump(), "test": plan.test})
    assert tested.id != trial.id
    assert len({slot.trial.id for slot in confirmation.slots if slot.trial}) == 6


def keep_one_split(store: Store, tmp_path: Path) -> dict[str, Any]:
    return {"blocks": 1, "resplit": False, "test": 0.2}


def splits_from_a_file(store: Store, tmp_path: Path) -> dict[str, Any]:
    test, first, *others = store.subjects
    listed = {"test": [test], "blocks": [{"train": others, "validation": [first]}]}
    file = tmp_path / "split.json"
    file.write_text(json.dumps(listed))
    return {"protocol": "file", "file": str(file)}


@pytest.mark.parametrize("keys", [keep_one_split, splits_from_a_file])
def test_blocks_are_fresh_whatever_the_sweeps_own_are(
    sweep: Callable[..., SweepSpec], store: Store, tmp_path: Path, keys: Callable[..., Any]
) -> None:
    changed = {**sweep().model_dump(mode="json"), "split": keys(store, tmp_path)}
    plan = make_plan(SweepSpec.model_validate(changed))
    trials = [s.trial for s in confirmed(plan, anchor_records(plan), 4).slots if s.trial]
    assert {trial.split for trial in trials} == {1, 2, 3, 4}
    assert len({trial.validation for trial in trials}) > 1
    assert all(not {*t.train, *t.validation} & {*plan.test} for t in trials)
    assert {len(t.validation) for t in trials} == {len(plan.space.blocks[0].split.validation)}


def test_a_confirmation_is_scored_on_test_subjects_and_fitted_on_labelled_ones(
    confirmation: ConfirmationPlan, folder: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = confirmation.slots[0].trial
    exam = confirmation.exam(folder)
    assert trial is not None
    read: dict[Store, set[int]] = {confirmation.store: set(), exam: set()}
    gather = Store.gather

    def spy(self: Store, rows: np.ndarray) -> np.ndarray:
        read[self].update(np.asarray(rows).tolist())
        return gather(self, rows)

    monkeypatch.setattr(Store, "gather", spy)
    rungs = list(run_trial(trial, confirmation.store, None, exam))
    assert [rung.step for rung in rungs] == [confirmation.spec.pretrain.steps]
    assert set(rungs[0].confusions) == set(trial.test)
    assert read[exam] <= set(exam.rows(trial.test).tolist())
    assert read[confirmation.store] <= set(confirmation.store.rows(trial.train).tolist())


def test_opening_is_written_down_and_outlives_a_new_start(
    confirmation: ConfirmationPlan, plan: Plan, folder: SweepFolder
) -> None:
    assert "test_opened" not in folder.read_manifest()
    confirmation.exam(folder)
    confirmation.exam(folder)
    opened = folder.read_manifest()["test_opened"]
    assert happened(folder.read_manifest())["test_opened"] == [entry["time"] for entry in opened]
    assert [set(entry) for entry in opened] == [{"time", "command"}] * 2
    folder.begin(plan.manifest(), fresh=True)
    assert folder.read_manifest()["test_opened"] == opened


def test_a_plan_that_is_not_all_confirmations_opens_nothing(
    confirmation: ConfirmationPlan, plan: Plan, folder: SweepFolder
) -> None:
    assert plan.exam(folder) is None
    mixed = replace(confirmation, slots=[*confirmation.slots, plan.slots[0]])
    with pytest.raises(LeakError, match="only confirmations"):
        mixed.exam(folder)
    assert "test_opened" not in folder.read_manifest()


def test_every_other_path_to_a_test_subject_raises(
    confirmation: ConfirmationPlan, plan: Plan, store: Store
) -> None:
    trial, ordinary = confirmation.slots[0].trial, anchor_records(plan)[-1].trial
    exam = store.only(plan.test)
    assert trial is not None
    for shut in (plan.store, confirmation.store, plan.store.only(plan.test)):
        with pytest.raises(LeakError):
            shut.rows(plan.test)
    with pytest.raises(LeakError):
        exam.rows(trial.train[:1])
    with pytest.raises(LeakError, match="needs the store of the test subjects"):
        next(run_trial(trial, plan.store))
    with pytest.raises(LeakError, match="must not have"):
        next(run_trial(ordinary, plan.store, None, exam))
    with pytest.raises(LeakError, match="could be trained on"):
        next(run_trial(trial, store, None, exam))
    stolen = ordinary.model_copy(update={"validation": plan.test})
    with pytest.raises(LeakError):
        next(run_trial(stolen, plan.store))


def test_few_modules_open_a_store_and_fewer_the_test_subjects() -> None:
    opening: dict[str, set[str]] = {"open": set(), "only": set()}
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                opened = name in ("prepare", "Store.open")
                kind = "open" if opened else "only" if name.endswith(".only") else None
                if kind:
                    opening[kind].add(str(path.relative_to(ROOT)))
    outside_a_sweep = {"cli/data.py", "cli/augment.py", "data/preparation.py"}
    models = {"experiment/setting.py", "evaluation.py"}
    sweeps = {"plan.py", "folder/store.py", "confirmation.py"}
    assert opening["open"] - outside_a_sweep == sweeps | models
    assert opening["only"] == {"confirmation.py"} | models


def row(trial: Any, decision: str) -> dict[str, Any]:
    rung = Metrics(0, trial.rungs[-1], 1.0, False, 2.0, dict.fromkeys(trial.scored, [[1] * 5] * 5))
    where = {"bracket": 0, "host": "here", "device": "cpu", "version": "0"}
    return {**rung.plain, **rung.scores, **where, "decision": decision}


def ran(confirmation: ConfirmationPlan, folder: SweepFolder, count: int) -> list[TrialRecord]:
    """Record the first confirmations of a plan, all but the last of them as finished."""
    for place, slot in enumerate(confirmation.slots[:count]):
        assert slot.trial is not None
        record = TrialRecord(slot.order, slot.kind, slot.design, slot.trial)
        folder.trial_started(record)
        if place < count - 1:
            record.rows.append(row(slot.trial, "done"))
            folder.rung_reported(record, record.rows[0])
    return folder.records()


def test_what_was_confirmed_is_not_run_again_and_more_blocks_are_added(
    plan: Plan, confirmation: ConfirmationPlan, folder: SweepFolder
) -> None:
    records = [*anchor_records(plan), *ran(confirmation, folder, 3)]
    again = confirmed(plan, records, blocks=3)
    assert len(again.slots) == 9
    ids = [{s.trial.id for s in each.slots if s.trial} for each in (confirmation, again)]
    assert ids[0] < ids[1]
    left = again.open_slots(again.own(records))
    assert len(left) == 7
    assert left[0].order == confirmation.slots[2].order
    orders = [slot.order for slot in again.slots] + [slot.order for slot in plan.slots]
    assert len(set(orders)) == len(orders)


def test_a_launch_takes_no_notice_of_confirmations(
    plan: Plan, confirmation: ConfirmationPlan, folder: SweepFolder
) -> None:
    records = ran(confirmation, folder, 3)
    assert plan.own(records) == []
    assert len(confirmation.own(records)) == 3
    assert plan.open_slots(plan.own(records)) == list(plan.slots)


def test_a_finished_confirmation_opens_nothing(
    plan: Plan, confirmation: ConfirmationPlan, folder: SweepFolder
) -> None:
    ran(confirmation, folder, 6)
    last = folder.records()[-1]
    last.rows.append(row(last.trial, "done"))
    folder.rung_reported(last, last.rows[0])
    assert run_sweep(confirmation, folder, [])
    assert "test_opened" not in folder.read_manifest()


def test_the_table_marks_confirmations(confirmation: ConfirmationPlan, folder: SweepFolder) -> None:
    ran(confirmation, folder, 3)
    table = read_table(folder.path)
    assert set(table.trials["kind"]) == {"confirmation"} < set(KINDS)
    assert set(table.trials["selected_on"]) == {"test"}
    assert set(table.trials["stop_rule"]) == {"none"}
    assert set(table.trials["decision"]) == {"done"}
    assert set(table.subjects["subject"]) == set(confirmation.test)


def test_none_has_the_settings_of_the_best(plan: Plan) -> None:
    like = anchor_records(plan)[-1].trial
    none = Candidate("none", like, only="")
    block = plan.space.blocks[0]
    assert none.in_block(block, plan.test).policy_text == "none"
    assert none.in_block(block, plan.test).encoder == like.encoder
