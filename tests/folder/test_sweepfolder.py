import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan, make_plan, read_table
from sleepsweep.spec.sweepspec import SweepSpec


def started(plan: Plan, folder: SweepFolder) -> TrialRecord:
    slot = plan.slots[0]
    assert slot.trial is not None
    record = TrialRecord(slot.order, slot.kind, slot.design, slot.trial)
    folder.trial_started(record)
    return record


def report(folder: SweepFolder, record: TrialRecord, rung: int, decision: str) -> None:
    row = {"rung": rung, "step": rung + 1, "decision": decision, "macro_f1": 0.5}
    record.rows.append(row)
    folder.rung_reported(record, row)


def test_what_was_recorded_is_read_again(plan: Plan, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    record = started(plan, folder)
    report(folder, record, 0, "continue")
    assert folder.records() == [record]
    assert folder.records()[0].state == "running"
    report(folder, record, 1, "done")
    assert folder.records()[0].is_finished
    assert plan.open_slots(folder.records())[0].order != 0


def test_half_a_line_of_a_killed_driver_is_dropped(plan: Plan, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    record = started(plan, folder)
    report(folder, record, 0, "continue")
    rungs = folder.trial(record.trial.id).rungs
    with folder.locked():
        folder.begin(plan.manifest(), fresh=False)
    with rungs.open("a") as handle:
        handle.write('{"rung": 1, "st')
    # Whoever only reads leaves it: the driver may be about to write the rest.
    assert len(folder.records()[0].rows) == 1
    assert rungs.read_text().endswith('"st')
    folder.begin(plan.manifest(), fresh=False)
    again = folder.records()[0]
    report(folder, again, 1, "done")
    assert [row["rung"] for row in folder.records()[0].rows] == [0, 1]


def test_a_failed_trial_is_run_again_and_its_error_is_gone(plan: Plan, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    record = started(plan, folder)
    record.error = "Traceback\nValueError: no"
    folder.trial_failed(record)
    assert folder.records()[0].state == "failed"
    assert plan.open_slots(folder.records())[0].order == 0
    folder.trial_started(record)
    assert folder.records()[0].error is None


def changed(spec: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {**json.loads(json.dumps(spec)), **sections}


def test_only_the_same_sweep_may_use_a_folder(plan: Plan, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    spec = plan.manifest()["spec"]
    folder.check_usable(spec, fresh=False)
    with folder.locked():
        folder.begin(plan.manifest(), fresh=False)
    folder.check_usable(spec, fresh=False)
    folder.check_usable(changed(spec, tracking={"uri": "http://server"}), fresh=False)
    with pytest.raises(UserError, match=r"seed: 0 → 7.*--fresh"):
        folder.check_usable(changed(spec, seed=7), fresh=False)
    folder.check_usable(changed(spec, seed=7), fresh=True)


def test_more_trials_are_an_extension(plan: Plan, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    spec = plan.manifest()["spec"]
    assert folder.total_trials(6) == 6
    folder.begin(plan.manifest(), fresh=False)
    grown = changed(spec, search={**spec["search"], "trials": 9})
    with pytest.raises(UserError, match=r"6 drawn trials instead of 9; sleepsweep extend .* 3 "):
        folder.check_usable(grown, fresh=False)
    with pytest.raises(UserError, match=r"seed: 0 → 7; *|search.trials: 6 → 9"):
        folder.check_usable({**grown, "seed": 7}, fresh=False)
    folder.extend(9, planned=10)
    folder.check_usable(grown, fresh=False)
    manifest = folder.read_manifest()
    assert manifest["study"]["planned_trials"] == 10
    assert [(entry["from"], entry["to"]) for entry in manifest["extended"]] == [(6, 9)]
    # Its own search space continues it, and one of another number is still another.
    assert [folder.total_trials(count) for count in (6, 8, 9)] == [9, 8, 9]


def test_an_extension_keeps_every_trial_of_the_sweep(sweep: Callable[..., SweepSpec]) -> None:
    few, many = (make_plan(sweep(search={"trials": count})).slots for count in (6, 20))
    assert list(many[: len(few)]) == list(few)


@pytest.mark.parametrize(
    "other",
    [{"test_subjects": ["somebody else"]}, {"data_hash": "of other recordings"}, {"splits": []}],
)
def test_a_sweep_is_not_continued_on_other_data(
    plan: Plan, tmp_path: Path, other: dict[str, Any]
) -> None:
    folder = SweepFolder(tmp_path)
    folder.begin(plan.manifest(), fresh=False)
    before = folder.read_manifest()
    with pytest.raises(UserError, match=r"the (recordings|test subjects|splits) have changed"):
        folder.begin({**plan.manifest(), **other}, fresh=False)
    assert folder.read_manifest() == before
    folder.begin({**plan.manifest(), **other}, fresh=True)
    assert folder.read_manifest()["id"] != before["id"]


def test_a_sweep_outlives_its_split_file(
    sweep: Callable[..., SweepSpec], store: Store, tmp_path: Path
) -> None:
    first, second, *others, test = store.subjects
    listed = {"test": [test], "blocks": [{"train": others, "validation": [first, second]}]}
    file, folder = tmp_path / "split.json", SweepFolder(tmp_path / "sweep")

    def planned() -> Plan:
        tree = sweep().model_dump(mode="json")
        keys = {"protocol": "file", "file": str(file)}
        return make_plan(SweepSpec.model_validate({**tree, "split": keys}))

    file.write_text(json.dumps(listed))
    plan = planned()
    folder.begin(plan.manifest(), fresh=False)
    record = started(plan, folder)
    record.error = "Boom"
    folder.trial_failed(record)
    file.unlink()
    assert set(read_table(folder.path).trials["split_hash"]) == {record.trial.split_hash}
    with pytest.raises(
        UserError, match=r"keeps its content in sweep\.json, as spec\.split\.listed"
    ):
        planned()
    file.write_text(json.dumps(folder.read_manifest()["spec"]["split"]["listed"]))
    again = planned().manifest()
    folder.check_usable(again["spec"], fresh=False)
    folder.begin(again, fresh=False)


def test_a_long_difference_is_cut(plan: Plan, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    folder.begin(plan.manifest(), fresh=False)
    names = [f"subject {number}" for number in range(100)]
    with pytest.raises(
        UserError, match=r'question: .* → \["subject 0", .* …\. Use another'
    ) as caught:
        folder.check_usable(changed(plan.manifest()["spec"], question=names), fresh=False)
    assert len(str(caught.value)) < 500


def test_a_folder_of_something_else_is_left_alone(plan: Plan, tmp_path: Path) -> None:
    spec = plan.manifest()["spec"]
    (tmp_path / "thesis.tex").write_text("years of work")
    for fresh in (False, True):
        with pytest.raises(UserError, match="is not empty and holds no sweep"):
            SweepFolder(tmp_path).check_usable(spec, fresh=fresh)
        with pytest.raises(UserError, match="is a file"):
            SweepFolder(tmp_path / "thesis.tex").check_usable(spec, fresh=fresh)


def test_a_second_launch_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    with folder.locked(), pytest.raises(UserError, match=r"pid \d+"), folder.locked():
        pass
    with folder.locked():
        pass


def test_no_sweep_and_a_damaged_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no sweep"):
        SweepFolder(tmp_path).read_manifest()
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        SweepFolder(tmp_path).read_manifest()
    (tmp_path / "sweep.json").write_text("{}")
    with pytest.raises(UserError, match="damaged"):
        SweepFolder(tmp_path).read_manifest()


def test_a_damaged_trial_is_named(plan: Plan, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    record = started(plan, folder)
    path = folder.trial(record.trial.id).spec
    whole = path.read_text()
    for text in ("{", "{}", '{"trial": {}}', "[1]", "[]", "3", f'{{"more": 1, {whole[1:]}'):
        path.write_text(text)
        with pytest.raises(UserError, match=rf"{record.trial.id}: damaged"):
            folder.records()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = SweepFolder(tmp_path / "file" / "sweep")
    with pytest.raises(UserError, match="cannot be written"), folder.locked():
        pass


@pytest.mark.parametrize(
    ("launched", "goes_on"),
    [
        ("launch a.yaml --out 'a b' --track-later --seed 3 --cluster 10.0.0.1:20007",
         "slurm submit a.yaml --out 'a b' --seed 3"),
        ("launch --fresh --cluster auto a.yaml", "slurm submit a.yaml"),
        ("slurm submit a.yaml --array", "slurm submit a.yaml --array"),
        ("launch a.yaml --fresh", "launch a.yaml"),
    ],
)  # fmt: skip
def test_what_a_job_launched_goes_on_as_a_job(
    plan: Plan, tmp_path: Path, launched: str, goes_on: str
) -> None:
    folder, manifest = SweepFolder(tmp_path), plan.manifest()
    launched = f"sleepsweep {launched}"
    manifest["study"]["command"] = launched
    folder.begin(manifest, fresh=False)
    assert folder.to_go_on() == launched.replace(" --fresh", "")
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm" / "7.sbatch").touch()
    assert folder.to_go_on() == f"sleepsweep {goes_on}"
