"""Runs a sweep on Ray Tune, or continues one from its folder.

Call `sleepsweep.rayenv.set_ray` before this module is imported.
"""

import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import ray
import torch
from ray import tune

import sleepsweep
from sleepsweep.cluster.nodes import check_nodes, join_cluster
from sleepsweep.data.store import Store
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan
from sleepsweep.search.schedulers import make_scheduler
from sleepsweep.search.searcher import SweepSearcher
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.systemmetrics import sampled
from sleepsweep.trainable import Trainable, run_trial
from sleepsweep.trial import TrialSpec

# A lost worker (out of memory, killed) is started again from its checkpoint so many times.
RESTARTS = 2


class Observer(Protocol):
    """What is told of a sweep's progress, on the driver, in the order in which it happens."""

    def trial_started(self, record: TrialRecord) -> None:
        """A trial begins, or continues after an interruption."""

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """A trial reached a rung; `row` holds its scores and the decision."""

    def trial_failed(self, record: TrialRecord) -> None:
        """A trial ended with an error, which ``record.error`` holds."""


def run_sweep(
    plan: Plan, folder: SweepFolder, observers: Sequence[Observer],
    trainable: Trainable = run_trial,
) -> bool:  # fmt: skip
    """Run the slots of `plan` that `folder` does not hold as finished; return whether all ended.

    Ctrl-C (SIGINT) ends it early and cleanly: each rung was recorded as it came in. Slots for which
    the space holds no policy that has not been run are taken out of the sweep's planned trials.
    """
    records = plan.own(folder.records())
    slots = plan.open_slots(records)
    if not slots:
        return True
    searcher = SweepSearcher(plan.space, slots, records, plan.past)
    callback = _Callback(observers, records)
    with _ray(plan, folder):
        _tune(plan, folder, searcher, callback, records, trainable)
    ended = {record.order for record in callback.records if record.state != "running"}
    if searcher.given_up:
        folder.set_planned(len(plan.slots) - len(searcher.given_up))
    return ended | searcher.given_up >= {slot.order for slot in plan.slots}


def _tune(
    plan: Plan, folder: SweepFolder, searcher: SweepSearcher, callback: "_Callback",
    records: Sequence[TrialRecord], trainable: Trainable,
) -> None:  # fmt: skip
    work = partial(
        _work, trainable=trainable, store=plan.store, exam=plan.exam(folder), folder=folder,
        threads=plan.spec.resources.cpus_per_trial,
        watched=plan.spec.tracking.system_metrics,
    )  # fmt: skip
    # Ray's own state of the run; nothing of it is read again, as the folder's records are enough.
    scratch = folder.path / "ray"
    tune.Tuner(
        tune.with_resources(work, {"cpu": plan.spec.resources.cpus_per_trial}),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=make_scheduler(plan.spec, records),
            num_samples=-1,
            max_concurrent_trials=concurrent(plan.spec),
            reuse_actors=True,
            trial_dirname_creator=lambda trial: str(trial.trial_id),
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(scratch.resolve()),
            failure_config=tune.FailureConfig(max_failures=RESTARTS),
            callbacks=[callback],
            verbose=0,
        ),
    ).fit()
    shutil.rmtree(scratch)


def _work(
    config: dict[str, Any],
    *,
    trainable: Trainable,
    store: Store,
    exam: Store | None,
    folder: SweepFolder,
    threads: int,
    watched: bool,
) -> None:
    """Run one trial in a worker process; Ray ends it inside `tune.report` when it is stopped."""
    torch.set_num_threads(threads)
    trial = TrialSpec.model_validate(config["trial"])
    files = folder.trial(trial.id)
    with sampled(files.samples) if watched else nullcontext():
        for metrics in trainable(trial, store, files.checkpoint, exam):
            tune.report(
                {
                    **metrics.plain,
                    **metrics.scores,
                    "host": socket.gethostname(),
                    "device": "cpu",
                    "version": sleepsweep.__version__,
                }
            )


def concurrent(spec: SweepSpec) -> int:
    """Return how many trials run at once, on the cluster where one has been joined."""
    if spec.resources.concurrent != "auto":
        return spec.resources.concurrent
    joined = spec.resources.cluster is not None and ray.is_initialized()
    cpus = int(ray.cluster_resources()["CPU"]) if joined else cpu_count()  # type: ignore[no-untyped-call]
    return max(cpus // spec.resources.cpus_per_trial, 1)


def cpu_count() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def _ray(plan: Plan, folder: SweepFolder) -> Iterator[None]:
    """A Ray for one sweep: a local one, or the cluster that the spec names."""
    resources = plan.spec.resources
    with _quiet_start():
        if resources.cluster is None:
            cpus = concurrent(plan.spec) * resources.cpus_per_trial
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, **SILENT)
        else:
            join_cluster(resources.cluster, SILENT)
    try:
        if resources.cluster is not None:
            check_nodes([plan.store.folder, folder.path])
        yield
    finally:
        ray.shutdown()


SILENT: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Let Ray write its token for its owner only, and keep it from answering signals for us."""
    before, on_sigterm = os.umask(0o077), signal.getsignal(signal.SIGTERM)
    try:
        yield
        # A failed trial is reported by the folder and at the end, with its traceback in a file.
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    except SystemExit as end:
        # While it starts, Ray answers SIGTERM in its own way; it is the end that Ctrl-C is.
        raise KeyboardInterrupt from end
    finally:
        os.umask(before)
        if signal.getsignal(signal.SIGTERM) is not on_sigterm:
            signal.signal(signal.SIGTERM, on_sigterm)


class _Callback(tune.Callback):
    """Translates Ray's events into the observers' terms."""

    def __init__(self, observers: Sequence[Observer], records: Sequence[TrialRecord]) -> None:
        self._observers = observers
        self._records = {record.trial.id: record for record in records}

    def __getstate__(self) -> dict[str, Any]:
        # Ray saves its callbacks with the run's state, of which nothing is read again.
        return {}

    @property
    def records(self) -> list[TrialRecord]:
        """Every trial that was started, in this launch or before."""
        return list(self._records.values())

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        config = trial.config
        record = self._records.get(config["id"])
        if record is None:
            record = TrialRecord(
                order=config["order"],
                kind=config["kind"],
                design=config["design"],
                trial=TrialSpec.model_validate(config["trial"]),
                suggestion=config["suggestion"],
            )
            self._records[config["id"]] = record
        record.error = None
        for observer in self._observers:
            observer.trial_started(record)

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        record = self._records[trial.config["id"]]
        # A restarted worker reports the rungs of its checkpoint again: all but the new are known.
        if result["rung"] < len(record.rows):
            return
        row = {key: result[key] for key in ROW}
        row["bracket"] = trial.config["bracket"]
        row["decision"] = _decision(result, record.trial)
        row["recorded_ms"] = time.time_ns() // 1_000_000
        record.rows.append(row)
        for observer in self._observers:
            observer.rung_reported(record, row)

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        record = self._records[trial.config["id"]]
        record.error = Path(trial.error_file).read_text()
        for observer in self._observers:
            observer.trial_failed(record)


# What a worker reports and a recorded rung keeps.
ROW = (
    "rung", "step", "loss", "time_s", "accuracy", "macro_f1", "kappa", "f1.W", "f1.N1",
    "f1.N2", "f1.N3", "f1.R", "confusions", "host", "device", "version",
)  # fmt: skip


def _decision(result: dict[str, Any], trial: TrialSpec) -> str:
    if result["collapsed"]:
        return "collapsed"
    if result["step"] >= trial.rungs[-1]:
        return "done"
    return "stop" if result.get("done") else "continue"
