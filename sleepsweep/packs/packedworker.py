"""The packs of a sweep, each a process of Ray's, and the trials of Ray Tune that join them.

Every trial stays one of Ray Tune's, so that schedulers, searchers and records know nothing of
packs; its process is light: it has a pack train the trial, fits the probe and reports.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import ray

from sleepsweep.cluster.session import processes
from sleepsweep.probing import Embedded, Probed, probe
from sleepsweep.spec.sections import ResourcesSpec
from sleepsweep.trainable import check_stores, rungs_of
from sleepsweep.trial import TrialSpec
from sleepsweep.worker import Worker

LIGHT = {"cpu": 0.0, "memory": 300 * 2**20}
"""What the process of a trial asks Ray for: it waits most of the time, and has no torch."""
KNOCK_S = 0.1
STARTING_S = 30.0
"""Seconds in which packs start for which there is room; until then no trial joins another one."""


@dataclass(frozen=True)
class PackedWorker:
    """Runs trials that packs train; Ray carries it to the trials' processes."""

    worker: Worker
    packs: tuple[Any, ...]
    started: tuple[Any, ...]
    """What Ray answers with once the pack in the same place has started."""

    def run(self, trial: TrialSpec) -> Iterator[dict[str, Any]]:
        """Run one trial as `Worker.run` does."""
        check_stores(trial, self.worker.store, self.worker.exam)
        pack, where = self._joined(trial)
        run = _PackedRun(pack, trial, self.worker)
        for metrics in rungs_of(run, self.worker.folder.trial(trial.id).checkpoint):
            yield {**metrics.plain, **metrics.scores, **where}

    def _joined(self, trial: TrialSpec) -> tuple[Any, dict[str, str]]:
        """Join a pack with a free place, if there is one the pack of the trial's block.

        Trials of a block share their batches. There are as many places as trials at once; that of
        a trial that has ended is free a moment later, and a lost pack is back after some seconds.
        A pack for which the cluster has no room may never start, and is not asked before it has.
        """
        packs = list(zip(self.packs, self.started, strict=True))
        first = trial.block % len(packs)
        while True:
            there, _ = ray.wait(list(self.started), num_returns=len(packs), timeout=KNOCK_S)
            for pack, started in packs[first:] + packs[:first]:
                if started in there and (where := _let_in(pack, trial)) is not None:
                    return pack, where
            time.sleep(KNOCK_S)

    def forget(self, trial_id: str) -> None:
        """Let a trial that has ended leave its pack."""
        for pack in self.packs:
            pack.leave.remote(trial_id)


@contextmanager
def packs_of(worker: Worker, resources: ResourcesSpec, trials: int) -> Iterator[PackedWorker]:
    """Packs for so many trials, with a worker whose trials join them; at the end they are gone.

    No pack has more places than it takes to train all the trials at once: all share the work.
    """
    from sleepsweep.packs.pack import Pack  # with torch, which a launch does without

    count = processes(resources)
    places = min(resources.members, ceil(trials / count))
    kind = ray.remote(Pack).options(
        num_cpus=resources.cpus_per_trial, num_gpus=resources.gpus_per_trial, max_restarts=-1
    )
    packs: tuple[Any, ...] = tuple(kind.remote(worker, places) for _ in range(count))
    started = tuple(pack.__ray_ready__.remote() for pack in packs)
    try:
        ray.wait(list(started), num_returns=count, timeout=STARTING_S)
        yield PackedWorker(worker, packs, started)
    finally:
        for pack in packs:
            ray.kill(pack)


def _let_in(pack: Any, trial: TrialSpec) -> dict[str, str] | None:
    """Where a pack has taken a trial in; None where it is full, or being started again."""
    with suppress(ray.exceptions.ActorUnavailableError):
        where: dict[str, str] | None = ray.get(pack.join.remote(trial))
        return where
    return None


class _PackedRun:
    """A trial that a pack trains; its probe is fitted in this process."""

    def __init__(self, pack: Any, trial: TrialSpec, worker: Worker) -> None:
        self.trial, self.spent_s = trial, 0.0
        self._pack, self._store = pack, worker.store
        self._scored = worker.store if worker.exam is None else worker.exam
        self._embedded: Embedded | None = None

    def train(self, step: int) -> float:
        """See `sleepsweep.trainable.Run`."""
        reached = ray.get(self._pack.train.remote(self.trial.id, step))
        self.spent_s += reached.spent_s
        self._embedded = reached.embedded
        return float(reached.loss)

    def probe(self) -> Probed:
        """See `sleepsweep.trainable.Run`."""
        assert self._embedded is not None, "nothing has been trained"
        started = time.perf_counter()
        found = probe(self.trial, self._store, self._scored, self._embedded)
        self.spent_s += time.perf_counter() - started
        return found

    def save(self, checkpoint: Path, rungs: Sequence[dict[str, Any]]) -> None:
        """See `sleepsweep.trainable.Run`."""
        ray.get(self._pack.save.remote(self.trial.id, rungs))

    def restore(self, checkpoint: Path) -> list[dict[str, Any]]:
        """See `sleepsweep.trainable.Run`."""
        rungs: list[dict[str, Any]] = ray.get(self._pack.restore.remote(self.trial.id))
        return rungs
