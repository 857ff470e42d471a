"""Trials trained together for a few steps: by a process each in step, or by one as a pack."""

import itertools
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError

import torch

from sleepsweep.data.store import Store
from sleepsweep.learn.pack import train_pack
from sleepsweep.packing.packing import Packed
from sleepsweep.probedrun import ProbedRun
from sleepsweep.systemmetrics import memory_mib, own_memory_mib
from sleepsweep.trial import TrialSpec

WARM_UP, STEPS = 2, 20


@dataclass(frozen=True)
class Task:
    """What a process of a measurement trains, and where; so much memory was used before."""

    trials: tuple[TrialSpec, ...]
    store: Store
    device: str
    threads: int
    used_mib: float


def in_processes(task: Task, trials: int) -> Packed:
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


def in_one_process(task: Task, trials: int) -> Packed:
    """Measure one process that trains so many trials as a pack does."""
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
