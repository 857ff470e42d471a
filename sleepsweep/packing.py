"""How many trials at once get most out of a GPU, or of a machine's processors: it is measured.

A trial is trained for a few steps by one process, then by two at the same time, by four, and so on,
until their memory would not hold twice as many, or together they train hardly faster.
"""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError
from typing import Any

import torch

from sleepsweep.cluster.session import cpu_count
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.forecast import drawn
from sleepsweep.learn.memory import is_gpu_full
from sleepsweep.plan import Plan
from sleepsweep.probedrun import ProbedRun
from sleepsweep.systemmetrics import memory_mib, own_memory_mib
from sleepsweep.trial import TrialSpec

WARM_UP, STEPS = 2, 20
WORTH = 1.05
"""More trials at once are worth it where they train so many times as fast together."""
FULL = 0.9
"""The part of a memory that trials may fill."""


@dataclass(frozen=True)
class Packed:
    """What so many trials at once do together: samples a second; `memory_mib` is that of one."""

    trials: int
    samples_per_s: float
    memory_mib: float


@dataclass(frozen=True)
class Packing:
    """What was measured on a `device`, which has `memory_mib` in all, from one trial on."""

    device: str
    memory_mib: float
    measured: tuple[Packed, ...]

    @property
    def best(self) -> Packed:
        """The fewest trials at once than which more are not worth it."""
        fastest = max(packed.samples_per_s for packed in self.measured)
        return next(each for each in self.measured if each.samples_per_s * WORTH >= fastest)

    @property
    def resources(self) -> dict[str, Any]:
        """The keys of the YAML's ``resources`` that ask for it."""
        if self.device == "cpu":
            return {"concurrent": self.best.trials}
        return {"gpus_per_trial": round(1 / self.best.trials, 4)}

    @property
    def plain(self) -> dict[str, Any]:
        """The packing as plain values, for JSON."""
        return {**asdict(self), "best": self.best.trials, "resources": self.resources}


def tune_packing(plan: Plan) -> Packing:
    """Measure a plan's largest policy on this machine's GPU, or on its processors without one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    threads = plan.spec.resources.cpus_per_trial
    used, total = memory_mib(device)
    trial = max((trial for _, trial in drawn(plan)), key=lambda trial: trial.size)
    task = _Task(trial, plan.store, device, threads, used)
    measured = _measured(task, max(cpu_count() // threads, 1), total)
    return Packing(device, total, tuple(measured))


def _measured(task: "_Task", most: int, memory_mib: float) -> Iterator[Packed]:
    trials, before = 1, 0.0
    while trials <= most:
        try:
            packed = _together(task, trials)
        except RuntimeError as error:
            if not is_gpu_full(f"{type(error).__name__}: {error}"):
                raise
            if trials == 1:
                raise UserError(
                    "a GPU here has no room for a single trial; lower pretrain.batch_size, or free "
                    "the GPU (nvidia-smi says who uses it)."
                ) from error
            return
        yield packed
        slow = packed.samples_per_s < WORTH * before
        if slow or 2 * trials * packed.memory_mib > FULL * memory_mib:
            return
        trials, before = 2 * trials, packed.samples_per_s


@dataclass(frozen=True)
class _Task:
    """What a process of the measurement trains, and where; so much memory was used before."""

    trial: TrialSpec
    store: Store
    device: str
    threads: int
    used_mib: float


def _together(task: _Task, trials: int) -> Packed:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(trials, context, _meet_at, (context.Barrier(trials),)) as pool:
        futures = [pool.submit(_train, task) for _ in range(trials)]
        errors = [error for future in futures if (error := future.exception()) is not None]
    # One that fails keeps the others from meeting it.
    for error in sorted(errors, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error
    found = [future.result() for future in futures]
    samples = trials * STEPS * task.trial.pretrain.batch_size
    slowest = max(seconds for seconds, _ in found)
    return Packed(trials, samples / slowest, max(memory for _, memory in found))


def _meet_at(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _train(task: _Task) -> tuple[float, float]:
    """Train in step with the other processes; return the seconds, and the MiB of each."""
    try:
        return _in_step(task)
    except BaseException:
        _barrier.abort()  # the others would wait for ever
        raise


def _in_step(task: _Task) -> tuple[float, float]:
    torch.set_num_threads(task.threads)
    run = ProbedRun(task.trial, task.store, device=task.device)
    run.train(WARM_UP)
    run.probe()
    _barrier.wait()
    started = time.perf_counter()
    run.train(WARM_UP + STEPS)
    seconds = time.perf_counter() - started
    memory = _memory_of_one(task)
    _barrier.wait()
    return seconds, memory


def _memory_of_one(task: _Task) -> float:
    if task.device == "cpu":
        return own_memory_mib()
    used, _ = memory_mib(task.device)
    return (used - task.used_mib) / _barrier.parties


_barrier: Barrier
"""Where the processes of a measurement meet, in each of them."""
