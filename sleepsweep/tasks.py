"""A sweep without Ray: one trial a task, where no trial depends on another's result.

Every task works out the sweep's trials for itself, the same ones as a launch would run; a launch
afterwards finds them done, and writes the tables and the report.
"""

import itertools
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from ray.tune.search import Searcher

from sleepsweep.errors import UserError
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.observer import Observer, Observers
from sleepsweep.plan import Plan
from sleepsweep.search.searcher import SweepSearcher
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trainable import Trainable, run_trial
from sleepsweep.worker import Worker


def check_independent(spec: SweepSpec) -> None:
    """Raise `UserError` where which trials run, or how far, depends on the results of others."""
    search = spec.search
    if search.trials and search.sampler_name != "random":
        raise UserError(
            f"--array: the sampler {search.sampler_name} learns from the trials before, and the "
            "tasks of an array do not know of each other. Set search.sampler: random, or leave "
            "--array out."
        )
    if spec.scheduler.name != "none" and (search.trials or search.stop_designs):
        raise UserError(
            f"--array: scheduler.name {spec.scheduler.name} stops trials that are behind others, "
            "and the tasks of an array do not know of each other. Set scheduler.name: none, or "
            "leave --array out."
        )


def configurations(plan: Plan) -> list[dict[str, Any]]:
    """Return what a launch would run, in the order of the sweep, as `SweepSearcher` hands it out.

    A task's number is a trial's place in it, from 0: baselines have orders below 0.
    """
    check_independent(plan.spec)
    searcher = SweepSearcher(plan.space, plan.slots, [])
    suggested = (searcher.suggest(str(number)) for number in itertools.count())
    found = itertools.takewhile(lambda each: each != Searcher.FINISHED, suggested)
    return sorted(found, key=lambda each: int(each["order"]))


def open_tasks(plan: Plan, folder: SweepFolder) -> list[int]:
    """Return the numbers of the tasks that are left, all where the folder is not begun."""
    ended = {record.order for record in plan.own(folder.records()) if record.is_finished}
    found = enumerate(configurations(plan))
    return [number for number, each in found if each["order"] not in ended]


def run_task(
    plan: Plan, folder: SweepFolder, number: int, observers: Sequence[Observer],
    trainable: Trainable = run_trial,
) -> TrialRecord:  # fmt: skip
    """Run the trial of a task, or continue it, and return its record; nothing where it has ended.

    An error ends the trial, not the caller. Raises `UserError` where the sweep has no such task,
    somebody else is running it, or the recordings are not what they were when the sweep began.
    """
    folder.check_same(plan.manifest())
    found = configurations(plan)
    if not 0 <= number < len(found):
        raise UserError(f"{folder.path}: has no task {number}; allowed: 0 to {len(found) - 1}.")
    configuration = found[number]
    files = folder.trial(configuration["id"])
    with folder.lock.shared(), files.lock.held():
        if files.spec.exists():
            files.mend()
            record = files.read()
        else:
            record = TrialRecord.of_configuration(configuration)
        if not record.is_finished:
            worker = Worker.of(plan, folder, trainable)
            _run(worker, record, configuration, Observers(observers))
    return record


def _run(
    worker: Worker, record: TrialRecord, configuration: Mapping[str, Any], observers: Observers
) -> None:
    observers.started(record)
    try:
        for result in worker.run(record.trial):
            observers.reached(record, result, configuration["bracket"], stopped=False)
    except Exception:  # noqa: BLE001 - of whatever kind, it is the trial's end and recorded as that
        observers.failed(record, traceback.format_exc())
