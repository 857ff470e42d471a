"""How many trials at once get most out of a GPU, or of a machine's processors: it is measured.

A trial is trained for a few steps by one process, then by two at the same time, by four, and so on,
until their memory would not hold twice as many, or together they train hardly faster. In the same
way packs are measured, in which one process trains them all.
"""

import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError
from typing import Any

import torch

from sleepsweep.cluster.session import cpu_count
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.forecast import drawn
from sleepsweep.learn.memory import is_gpu_full
from sleepsweep.learn.pack import train_pack
from sleepsweep.plan import Plan
from sleepsweep.probedrun import ProbedRun
from sleepsweep.systemmetrics import memory_mib, own_memory_mib
from sleepsweep.trial import TrialSpec

WARM_UP, STEPS = 2, 20
WORTH = 1.05
"""More trials at once are worth it where they train so many times as fast together."""
MOST_MEMBERS = 64
"""The largest pack that is measured."""
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
    in_one: bool = False
    """Whether one process trained them, as a pack."""

    @property
    def best(self) -> Packed:
        """The fewest trials at once than which more are not worth it."""
        fastest = max(packed.samples_per_s for packed in self.measured)
        return next(each for each in self.measured if each.samples_per_s * WORTH >= fastest)

    @property
    def resources(self) -> dict[str, Any]:
        """The keys of the YAML's ``resources`` that ask for it."""
        if self.in_one:
            return {"pack": self.best.trials}
        if self.device == "cpu":
            return {"concurrent": self.best.trials}
        return {"gpus_per_trial": round(1 / self.best.trials, 4)}

    @property
    def plain(self) -> dict[str, Any]:
        """The packing as plain values, for JSON."""
        return {**asdict(self), "best": self.best.trials, "resources": self.resources}


def measured(plan: Plan) -> dict[str, Packing]:
    """Measure what can be done on this machine: trials at once, and where it has a GPU packs."""
    packs = {"packs": tune_pack(plan)} if torch.cuda.is_available() else {}
    return {"packing": tune_packing(plan), **packs}


def tune_packing(plan: Plan) -> Packing:
    """Measure a plan's largest policy on this machine's GPU, or on its processors without one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    task, total = _task(plan, device)
    most = max(cpu_count() // task.threads, 1)
    return Packing(
        device, total, tuple(_measured(partial(together_by_processes, task), most, total))
    )


def tune_pack(plan: Plan) -> Packing:
    """Measure packs of a plan's policies, largest first, on this machine's GPU."""
    task, total = _task(plan, "cuda")
    found = tuple(_measured(partial(_in_one, task), MOST_MEMBERS, total))
    return Packing("cuda", total, found, in_one=True)


def settled(plan: Plan) -> tuple[Plan, Packing | None]:
    """Put a number in the place of ``pack: auto``; return what was measured for it, if anything.

    Raises `UserError` where the plan wants a GPU and this machine has none to measure.
    """
    resources = plan.spec.resources
    if resources.pack != "auto" or resources.device == "cpu":
        return plan, None
    if not torch.cuda.is_available():
        raise UserError(
            "resources.pack is auto, which is measured, and this machine has no GPU that can be "
            "used. Give a number: sleepsweep plan --tune-packing says it on a machine with one."
        )
    found = tune_pack(plan)
    given = resources.model_copy(update=found.resources)
    return replace(plan, spec=plan.spec.model_copy(update={"resources": given})), found


def _task(plan: Plan, device: str) -> tuple["Task", float]:
    """What is measured, and how many MiB the device has."""
    used, total = memory_mib(device)
    trials = (trial for _, trial in drawn(plan) if trial.baseline is None)
    largest = tuple(sorted(trials, key=lambda trial: -trial.size)[:MOST_MEMBERS])
    threads = plan.spec.resources.cpus_per_trial
    return Task(largest, plan.store, device, threads, used), total


def _measured(together: Callable[[int], Packed], most: int, memory_mib: float) -> Iterator[Packed]:
    trials, before = 1, 0.0
    while trials <= most:
        try:
            packed = together(trials)
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
class Task:
    """What a process of a measurement trains, and where; so much memory was used before."""

    trials: tuple[TrialSpec, ...]
    store: Store
    device: str
    threads: int
    used_mib: float


def together_by_processes(task: Task, trials: int) -> Packed:
    """Measure so many processes that train a trial each at the same time, in step."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(trials, context, _meet_at, (context.Barrier(trials),)) as pool:
        futures = [pool.submit(_train, task) for _ in range(trials)]
        errors = [error for future in futures if (error := future.exception()) is not None]
    # One that fails keeps the others from meeting it.
    for error in sorted(errors, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error
    found = [future.result() for future in futures]
    slowest = max(seconds for seconds, _ in found)
    return _packed(task, trials, slowest, max(memory for _, memory in found))


def _in_one(task: Task, trials: int) -> Packed:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        seconds, memory = pool.submit(_train_pack, task, trials).result()
    return _packed(task, trials, seconds, memory)


def _packed(task: Task, trials: int, seconds: float, memory_mib: float) -> Packed:
    samples = trials * STEPS * task.trials[0].pretrain.batch_size
    return Packed(trials, samples / seconds, memory_mib)


def _meet_at(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _train(task: Task) -> tuple[float, float]:
    """Train in step with the other processes; return the seconds, and the MiB of each."""
    try:
        return _in_step(task)
    except BaseException:
        _barrier.abort()  # the others would wait for ever
        raise


def _in_step(task: Task) -> tuple[float, float]:
    torch.set_num_threads(task.threads)
    run = ProbedRun(task.trials[0], task.store, device=task.device)
    run.train(WARM_UP)
    run.probe()
    _barrier.wait()
    started = time.perf_counter()
    run.train(WARM_UP + STEPS)
    seconds = time.perf_counter() - started
    memory = _memory_of_one(task, _barrier.parties)
    _barrier.wait()
    return seconds, memory


def _train_pack(task: Task, trials: int) -> tuple[float, float]:
    """Train so many as a pack does; return the seconds, and the MiB of each."""
    torch.set_num_threads(task.threads)
    chosen = itertools.islice(itertools.cycle(task.trials), trials)
    runs = [ProbedRun(trial, task.store, device=task.device) for trial in chosen]
    pretrainings, rows = [run.pretraining for run in runs], [run.rows for run in runs]
    train_pack(pretrainings, task.store.gather, rows, WARM_UP)
    runs[0].probe()
    started = time.perf_counter()
    train_pack(pretrainings, task.store.gather, rows, STEPS)
    return time.perf_counter() - started, _memory_of_one(task, trials)


def _memory_of_one(task: Task, trials: int) -> float:
    if task.device == "cpu":
        return own_memory_mib()
    used, _ = memory_mib(task.device)
    return (used - task.used_mib) / trials


_barrier: Barrier
"""Where the processes of a measurement meet, in each of them."""
