"""Trials of a sweep run one by one, without Ray."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan, make_plan, read_table
from sleepsweep.search.searcher import SweepSearcher
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.tasks import configurations, open_tasks, run_task
from sleepsweep.trainable import Metrics, run_trial
from sleepsweep.trial import TrialSpec

Sweep = Callable[..., SweepSpec]
WHOLE = {"name": "none", "grace_steps": 1, "factor": 2}


@pytest.fixture
def plan(sweep: Sweep) -> Plan:
    return make_plan(sweep(search={"trials": 3, "baselines": True}, scheduler=WHOLE))


@pytest.fixture
def folder(plan: Plan, tmp_path: Path) -> SweepFolder:
    folder = SweepFolder(tmp_path / "sweep")
    with folder.locked():
        folder.begin(plan.manifest(), fresh=False)
    return folder


def test_tasks_are_the_trials_of_a_launch_in_their_order(plan: Plan) -> None:
    found = configurations(plan)
    assert [each["order"] for each in found] == sorted(slot.order for slot in plan.slots)
    searcher = SweepSearcher(plan.space, plan.slots, [])
    launched = [searcher.suggest(str(number)) for number in range(len(plan.slots))]
    assert {each["id"] for each in launched} == {each["id"] for each in found}
    assert configurations(plan) == found


def test_all_tasks_make_the_whole_sweep(plan: Plan, folder: SweepFolder) -> None:
    assert open_tasks(plan, folder) == list(range(len(plan.slots)))
    for number in range(len(plan.slots)):
        assert run_task(plan, folder, number, [folder]).state == "done"
    assert open_tasks(plan, folder) == []
    assert plan.open_slots(folder.records()) == []
    table = read_table(folder.path).trials
    assert table["trial"].nunique() == len(plan.slots)
    trial = next(r for r in folder.records() if r.kind == "anchor" or r.kind == "search")
    whole = [metrics.plain for metrics in run_trial(trial.trial, plan.store)]
    assert [row["confusions"] for row in trial.rows] == [each["confusions"] for each in whole]


def test_a_finished_task_is_not_run_again(plan: Plan, folder: SweepFolder) -> None:
    first = run_task(plan, folder, 4, [folder])
    again = run_task(plan, folder, 4, [folder], no_trial)
    assert json.dumps(again.rows) == json.dumps(first.rows)


def no_trial(
    trial: TrialSpec, store: Store, checkpoint: Path | None = None, exam: Store | None = None,
    device: str = "cpu",
) -> Iterator[Metrics]:  # fmt: skip
    raise RuntimeError("the lamp went out")
    yield


def test_a_trial_that_fails_is_recorded_and_can_be_run_again(
    plan: Plan, folder: SweepFolder
) -> None:
    failed = run_task(plan, folder, 4, [folder], no_trial)
    assert failed.state == "failed"
    assert failed.error_line == "RuntimeError: the lamp went out"
    assert 4 in open_tasks(plan, folder)
    assert run_task(plan, folder, 4, [folder]).state == "done"


def test_an_interrupted_task_goes_on_from_its_checkpoint(plan: Plan, folder: SweepFolder) -> None:
    number = len(plan.slots) - 1

    class Interrupted:
        def trial_started(self, record: object) -> None: ...
        def trial_failed(self, record: object) -> None: ...
        def rung_reported(self, record: object, row: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_task(plan, folder, number, [folder, Interrupted()])
    (begun,) = folder.records()
    assert [row["rung"] for row in begun.rows] == [0]
    assert not begun.is_finished
    ended = run_task(plan, folder, number, [folder])
    assert [row["rung"] for row in ended.rows] == list(range(len(ended.trial.rungs)))
    assert ended.rows[0] == begun.rows[0]


def test_tasks_and_a_launch_keep_out_of_each_others_way(plan: Plan, folder: SweepFolder) -> None:
    with folder.locked(), pytest.raises(UserError, match="another launch"):
        run_task(plan, folder, 0, [folder])
    with (
        folder.lock.shared(),
        pytest.raises(UserError, match="tasks of Slurm are running this sweep"),
        folder.locked(),
    ):
        pass
    with folder.lock.shared(), folder.lock.shared():  # but each other they do not mind
        pass


@pytest.mark.parametrize("number", [-1, 7, 99])
def test_a_task_that_is_not_there(plan: Plan, folder: SweepFolder, number: int) -> None:
    with pytest.raises(UserError, match="allowed: 0 to 6"):
        run_task(plan, folder, number, [folder])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"search": {"trials": 3, "goal": "best"}, "scheduler": WHOLE}, "the sampler tpe learns"),
        ({"search": {"trials": 3}, "scheduler": {"name": "asha"}}, "scheduler.name asha stops"),
        (
            {"search": {"trials": 0, "stop_designs": True}, "scheduler": {"name": "median"}},
            "scheduler.name median stops",
        ),
    ],
)
def test_what_depends_on_other_trials_is_refused(
    sweep: Sweep, changes: dict[str, dict[str, object]], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        configurations(make_plan(sweep(**changes)))


def test_designs_that_nothing_stops_need_no_other_scheduler(sweep: Sweep) -> None:
    plan = make_plan(sweep(search={"trials": 0, "designs": ["none", "singles"]}))
    assert len(configurations(plan)) == len(plan.slots)


def test_a_task_that_finds_other_recordings_runs_nothing(sweep: Sweep, folder: SweepFolder) -> None:
    """A sixth subject may make a training subject of one that was set aside."""
    more = sweep(data={"simulated": {"subjects": 6}}, search={"trials": 3}, scheduler=WHOLE)
    with pytest.raises(UserError, match="have changed since this sweep began"):
        run_task(make_plan(more), folder, 0, [folder])
    assert folder.records() == []
