"""What an earlier sweep found is told to the next one's search, as far as its space holds it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from ray.tune.search import Searcher

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.folder.table import build_table
from sleepsweep.plan import Plan, make_plan, read_past
from sleepsweep.results import ResultsTable, StudyInfo
from sleepsweep.search.searcher import SweepSearcher
from sleepsweep.search.warmstart import NO_PAST, Past, past_of
from sleepsweep.space import Recorded, draw_policy
from sleepsweep.spec.specfile import read_study
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.terminal.summary import search_notes
from sleepsweep.trial import TrialSpec

RANGES: dict[str, Any] = {
    "encoder": {"latent_dim": {"choice": [8, 16]}},
    "pretrain": {"temperature": {"loguniform": [0.05, 1.0]}},
}
SEARCH = {"sampler": "tpe", "trials": 30, "designs": ["none", "singles"]}


def rows_of(number: int, decision: str = "") -> list[dict[str, Any]]:
    """Two rungs of a trial that was stopped at the second, or three of one that was not."""
    rungs = 2 if number % 3 == 0 else 3
    ends = decision or ("stop" if rungs == 2 else "done")
    return [
        {"rung": rung, "step": 2**rung, "macro_f1": 0.4 + number / 100 + rung / 10, "kappa": 0.3,
         "accuracy": 0.6, "time_s": 1.0 + rung, "bracket": 0, "loss": 1.0, "host": "", "device": "",
         "version": "", "decision": ends if rung == rungs - 1 else "continue"}
        for rung in range(rungs)
    ]  # fmt: skip


def earlier(plan: Plan) -> list[TrialRecord]:
    """All trials of a plan, as if they had been run."""
    search = SweepSearcher(plan.space, plan.slots, [])
    records = []
    for number in range(1000):
        config = search.suggest(f"t{number}")
        if config == Searcher.FINISHED:
            return records
        trial = TrialSpec.model_validate(config["trial"])
        records.append(TrialRecord(config["order"], config["kind"], config["design"], trial,
                                   config["suggestion"], rows_of(number)))  # fmt: skip
    raise AssertionError("the search does not end")


def table_of(plan: Plan, records: list[TrialRecord]) -> ResultsTable:
    manifest = plan.manifest()
    return build_table(records, StudyInfo.of_plain(manifest["study"]), manifest["provenance"])


def test_every_trial_of_the_same_space_is_told_as_it_was_drawn(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    spec = sweep(search=SEARCH, **RANGES)
    plan = make_plan(spec)
    records = earlier(plan)
    past = past_of(table_of(plan, records), spec, "there")
    assert not past.outside
    trials = {record.trial.id: record.trial for record in records}
    assert [trial.id for trial in past.trials] == list(trials)
    for told in past.trials:
        source = Recorded(told.values)
        assert draw_policy(spec.augmentations, source) == trials[told.id].policy
        assert plan.space.parts(source) == trials[told.id].parts
    study = SweepSearcher(plan.space, [], [], past).history.study()
    states = [TrialState.PRUNED if n % 3 == 0 else TrialState.COMPLETE for n in range(len(records))]
    assert [trial.state for trial in study.trials] == states
    assert study.trials[1].value == pytest.approx(0.61)
    assert study.trials[0].intermediate_values == pytest.approx({1: 0.4, 2: 0.5})


@pytest.mark.parametrize("sampler", ["tpe", "gp", "nsga2"])
def test_a_search_starts_from_what_it_is_told(
    sweep: Callable[..., SweepSpec], store: Store, sampler: str
) -> None:
    spec = sweep(search={**SEARCH, "sampler": sampler, "trials": 12, "anchors": 1.0}, **RANGES)
    plan = make_plan(spec)
    past = past_of(table_of(plan, earlier(plan)), spec, "there")
    keys = {"sampler": sampler, "trials": 2, "anchors": 0.0, "designs": []}
    later = make_plan(sweep(search=keys, seed=1, **RANGES))

    def suggested(known: Past) -> Any:
        search = SweepSearcher(later.space, later.slots, [], known)
        first = search.suggest("a")
        assert len(search.history.study().trials) == len(known.trials) + 1
        return first["suggestion"]

    assert suggested(past) == suggested(past)
    if sampler == "tpe":
        assert suggested(past) != suggested(NO_PAST)


def other(plan: Plan, sweep: Callable[..., SweepSpec], **changes: Any) -> dict[str, int]:
    """What takes the plan's trials out of a changed space."""
    table = table_of(plan, earlier(plan))
    found = past_of(table, sweep(search={"sampler": "tpe"}, **changes), "there")
    count = len(found.trials) + sum(found.outside.values())
    assert count == table.trials["trial"].nunique()
    return dict(found.outside)


def test_trials_of_another_space_are_counted_by_the_reason(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    plan = make_plan(sweep(search={"sampler": "tpe", "trials": 20}))
    everything = len(earlier(plan))
    assert not other(plan, sweep)
    assert other(plan, sweep, pretrain={"steps": 8}) == {"pretrain.steps is 4": everything}
    assert other(plan, sweep, encoder={"latent_dim": 8}) == {"encoder.latent_dim is 16": everything}
    assert not other(plan, sweep, encoder={"latent_dim": {"choice": [8, 16]}})
    cosine = {"pretrain.schedule is constant": everything}
    assert other(plan, sweep, pretrain={"schedule": "cosine"}) == cosine
    assert not other(plan, sweep, pretrain={"schedule": {"choice": ["constant", "cosine"]}})
    assert set(other(plan, sweep, augmentations={"size": [1, 2]})) == {
        "0 augmentations", "3 augmentations"
    }  # fmt: skip
    assert set(other(plan, sweep, augmentations={"placebo": False})) == {
        "Placebo is not in the pool"
    }
    chosen = other(plan, sweep, augmentations={"choose": 2})
    assert set(chosen) == {"its policy cannot be drawn here"}
    assert 0 < sum(chosen.values()) < everything


def test_a_table_from_before_there_was_a_key_had_the_keys_default(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    plan = make_plan(sweep(search={"sampler": "tpe", "trials": 20}))
    table = table_of(plan, earlier(plan))
    old = {key: value for key, value in table.study.settings.items() if "schedule" not in key}
    table = replace(table, study=replace(table.study, settings=old))
    same, cosine = (sweep(pretrain={"schedule": name}) for name in ("constant", "cosine"))
    assert past_of(table, same, "there").trials
    assert set(past_of(table, cosine, "there").outside) == {"pretrain.schedule is constant"}


def test_shares_of_a_sum_of_p_are_recognised(sweep: Callable[..., SweepSpec], store: Store) -> None:
    pool = {name: {} for name in ("SignFlip", "TimeReversal", "RandomTimeShift")}
    shared = {"size": [2, 3], "p_sum": 1.5, "placebo": False, "pool": pool}
    plan = make_plan(
        sweep(augmentations=shared, search={"trials": 4, "designs": [], "anchors": 1.0})
    )
    spec = sweep(augmentations=shared, search={"sampler": "tpe"})
    found = past_of(table_of(plan, earlier(plan)), spec, "there")
    assert len(found.trials) == 4
    assert not found.outside


def test_what_did_not_finish_or_saw_the_test_subjects_is_not_told(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    plan = make_plan(sweep(search={"sampler": "tpe", "trials": 4, "designs": []}))
    records = earlier(plan)
    records[0].rows = rows_of(1, "continue")
    records[1] = replace(records[1], rows=[], error="broken")
    confirmed = records[2].trial.model_dump(mode="json")
    confirmed["test"] = list(plan.test)
    records[2] = replace(records[2], kind="confirmation", trial=TrialSpec.model_validate(confirmed))
    found = past_of(table_of(plan, records), plan.spec, "there")
    assert [trial.id for trial in found.trials] == [records[3].trial.id]


def test_a_trial_that_was_scored_on_a_test_subject_of_this_sweep_is_not_told(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    plan = make_plan(sweep(search={"sampler": "tpe", "trials": 4, "designs": []}))
    records = earlier(plan)
    for number, one in enumerate(records):
        scored = plan.test[0] if number == 1 else one.trial.validation[0]
        for row in one.rows:
            row["confusions"] = {scored: [[1] * 5] * 5}
    past = past_of(table_of(plan, records), plan.spec, "there")
    assert len(past.trials) == 4
    told = make_plan(plan.spec, past=past).past
    assert [trial.id for trial in told.trials] == [
        one.trial.id for place, one in enumerate(records) if place != 1
    ]
    assert told.outside == {"scored on a test subject of this sweep": 1}


def test_a_choice_among_words_and_numbers_is_known_again(
    sweep: Callable[..., SweepSpec], store: Store, tmp_path: Path
) -> None:
    mixed = {"C": {"choice": [1.0, "cross_validated"]}}
    search = {"sampler": "tpe", "trials": 8, "anchors": 1.0, "designs": []}
    plan = make_plan(sweep(search=search, probe=mixed))
    records = earlier(plan)
    table_of(plan, records).write(tmp_path)
    table = ResultsTable.read(tmp_path)
    assert set(table.trials["hp.probe.C"]) == {"1.0", "cross_validated"}
    past = past_of(table, plan.spec, "there")
    assert not past.outside
    assert [trial.values["probe.C"] for trial in past.trials] == [
        record.trial.probe.C for record in records
    ]


def test_a_folder_is_read_and_what_it_lacks_is_said(
    sweep: Callable[..., SweepSpec], store: Store, tmp_path: Path
) -> None:
    plan = make_plan(sweep(search={"sampler": "tpe", "trials": 6}))
    folder = SweepFolder(tmp_path / "before")
    folder.begin(plan.manifest(), fresh=False)
    for record in earlier(plan):
        folder.trial_started(record)
        for row in record.rows:
            folder.rung_reported(record, row)
    narrow = {"size": [0, 2]}
    keys = {"sampler": "tpe", "warm_start": str(folder.path), "anchors": 0.1}
    spec = sweep(search=keys, augmentations=narrow)
    past = read_past(spec, None)
    assert past.trials
    said = list(search_notes(spec, past))
    assert f"the search knows {len(past.trials)} trials of {folder.path}" in said[0]
    assert f"skipped: {sum(past.outside.values())}: " in said[0]
    assert "(3 augmentations)" in said[0]
    assert "only 10% of the drawn trials are anchors" in said[1]
    assert not list(search_notes(sweep(), read_past(sweep(), None)))
    with pytest.raises(UserError, match=r"search\.warm_start: .*nowhere.*no such file"):
        read_past(sweep(search={**keys, "warm_start": str(tmp_path / "nowhere")}), None)
    with pytest.raises(UserError, match=r"search\.warm_start: .* own folder"):
        read_past(spec, folder.path)


def test_random_draws_cannot_be_started_warm(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "name: a\naugmentations: {size: [0, 1], pool: {SignFlip: {}}}\n"
        "search: {warm_start: runs/before}\n"
    )
    with pytest.raises(UserError, match=r"line 3, search.warm_start: random draws learn"):
        read_study(SweepSpec, path)
