"""Runs a sweep on Ray Tune, or continues one from its folder.

Call `sleepsweep.rayenv.set_ray` before this module is imported.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune

from sleepsweep.cluster.session import concurrent, ray_for
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.learn.memory import is_gpu_full
from sleepsweep.observer import Observer, Observers
from sleepsweep.packs.packedworker import LIGHT, PackedWorker, packs_of
from sleepsweep.plan import Plan
from sleepsweep.search.schedulers import make_scheduler
from sleepsweep.search.searcher import SweepSearcher
from sleepsweep.spec.sections import ResourcesSpec
from sleepsweep.trainable import Trainable, run_trial
from sleepsweep.trial import TrialSpec
from sleepsweep.worker import Worker

# A lost worker (out of memory, killed) is started again from its checkpoint so many times.
RESTARTS = 2


def run_sweep(
    plan: Plan, folder: SweepFolder, observers: Sequence[Observer],
    trainable: Trainable = run_trial, tell: Callable[[str], None] = lambda sentence: None,
) -> bool:  # fmt: skip
    """Run the slots of `plan` that `folder` does not hold as finished; return whether all ended.

    Ctrl-C (SIGINT) ends it early and cleanly: each rung was recorded as it came in. Slots for which
    the space holds no policy that has not been run are taken out of the sweep's planned trials.
    Where trials that share a GPU fill its memory, all of them go on from their checkpoints with
    half as many on it, which `tell` is told.
    """
    if not plan.open_slots(plan.own(folder.records())):
        return True
    worker, resources = Worker.of(plan, folder, trainable), plan.spec.resources
    given_up: set[int] = set()
    with ray_for(resources, [plan.store.folder, folder.path]):
        for part, given in _parts(plan, folder, resources):
            while (sweep := _Round(part, folder, observers, worker, given)).fills_a_gpu():
                given = given.with_fewer_on_a_gpu()
                tell(f"A GPU's memory is full: {given.trials_per_gpu} trials on each from now on.")
            given_up |= sweep.given_up
            if not sweep.ended():
                break
    if given_up:
        folder.set_planned(len(plan.slots) - len(given_up))
    return sweep.ended()


def _parts(
    plan: Plan, folder: SweepFolder, resources: ResourcesSpec
) -> Iterator[tuple[Plan, ResourcesSpec]]:
    """The plan; with packs first the trials that they train, and then the baselines, unpacked."""
    if resources.members == 1:
        yield plan, resources
        return
    packed = [slot for slot in plan.slots if slot.kind != "baseline"]
    baselines = [slot for slot in plan.slots if slot.kind == "baseline"]
    unpacked = resources.model_copy(update={"pack": 1})
    for slots, given in ((packed, resources), (baselines, unpacked)):
        part = replace(plan, slots=slots)
        if part.open_slots(plan.own(folder.records())):
            yield part, given


class _Round:
    """One run of Ray Tune over the slots that are open, with so much for each trial."""

    def __init__(
        self, plan: Plan, folder: SweepFolder, observers: Sequence[Observer], worker: Worker,
        resources: ResourcesSpec,
    ) -> None:  # fmt: skip
        self._plan, self._folder = plan, folder
        self._worker, self._resources = worker, resources
        self._records = plan.own(folder.records())
        self._slots = plan.open_slots(self._records)
        self._searcher = SweepSearcher(plan.space, self._slots, self._records, plan.past)
        self._full = _FullGpu(can_share_less=resources.trials_per_gpu > 1)
        self._callback = _Callback(Observers(observers), self._records, self._full)

    def fills_a_gpu(self) -> bool:
        """Run it; return whether it was broken off because a GPU's memory was full."""
        if self._resources.members == 1:
            cpus, gpus = self._resources.cpus_per_trial, self._resources.gpus_per_trial
            self._run(self._worker, {"cpu": cpus, "gpu": gpus})
        else:
            with packs_of(self._worker, self._resources, len(self._slots)) as packed:
                self._callback.on_end = packed.forget
                self._run(packed, LIGHT)
        return self._full.stop_all()

    def _run(self, worker: Worker | PackedWorker, asked: Mapping[str, float]) -> None:
        # Ray's own state of the run; nothing of it is read again, as the folder's records do.
        scratch = self._folder.path / "ray"
        tune.Tuner(
            tune.with_resources(partial(_work, worker=worker), dict(asked)),
            tune_config=tune.TuneConfig(
                search_alg=self._searcher,
                scheduler=make_scheduler(self._plan.spec, self._records),
                num_samples=-1,
                max_concurrent_trials=concurrent(self._resources),
                reuse_actors=True,
                trial_dirname_creator=lambda trial: str(trial.trial_id),
            ),
            run_config=tune.RunConfig(
                name="tune",
                storage_path=str(scratch.resolve()),
                failure_config=tune.FailureConfig(max_failures=RESTARTS),
                callbacks=[self._callback],
                stop=self._full,
                verbose=0,
            ),
        ).fit()
        shutil.rmtree(scratch)

    @property
    def given_up(self) -> set[int]:
        """The orders of slots for which the space held no trial that had not been run."""
        return self._searcher.given_up

    def ended(self) -> bool:
        """Whether every slot has ended, or was given up."""
        over = {record.order for record in self._callback.records if record.state != "running"}
        return over | self.given_up >= {slot.order for slot in self._slots}


def _work(config: dict[str, Any], *, worker: Worker | PackedWorker) -> None:
    """Run one trial in a worker process; Ray ends it inside `tune.report` when it is stopped."""
    for result in worker.run(TrialSpec.model_validate(config["trial"])):
        tune.report(result)


class _FullGpu(tune.Stopper):
    """Ends all trials when one of them has found the GPU that it shares without memory."""

    def __init__(self, *, can_share_less: bool) -> None:
        self._can_share_less = can_share_less
        self._found = False

    def note(self, error: str) -> None:
        """Take in the traceback that a worker ended with."""
        self._found |= self._can_share_less and is_gpu_full(error)

    def stop_all(self) -> bool:
        return self._found

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False


class _Callback(tune.Callback):
    """Translates Ray's events into the observers' terms."""

    def __init__(
        self, observers: Observers, records: Sequence[TrialRecord], full: _FullGpu
    ) -> None:
        self._observers = observers
        self._records = {record.trial.id: record for record in records}
        self._full = full
        self.on_end: Callable[[str], object] = lambda trial_id: None
        """What is told which trial has ended, of whatever kind that end is."""

    def __getstate__(self) -> dict[str, Any]:
        # Ray saves its callbacks with the run's state, of which nothing is read again.
        return {}

    @property
    def records(self) -> list[TrialRecord]:
        """Every trial that was started, in this launch or before."""
        return list(self._records.values())

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        config = trial.config
        if config["id"] not in self._records:
            self._records[config["id"]] = TrialRecord.of_configuration(config)
        self._observers.started(self._records[config["id"]])

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        record, bracket = self._records[trial.config["id"]], trial.config["bracket"]
        self._observers.reached(record, result, bracket, stopped=bool(result.get("done")))

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.on_end(trial.config["id"])

    def on_trial_recover(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self._full.note(Path(trial.error_file).read_text())

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        record = self._records[trial.config["id"]]
        self._observers.failed(record, Path(trial.error_file).read_text())
        self.on_end(trial.config["id"])
