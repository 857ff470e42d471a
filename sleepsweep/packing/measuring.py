"""Measuring trials at once: one, then two, then four, and so on.

It ends where their memory would not hold twice as many, or they train hardly faster together.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch

from sleepsweep.cluster.session import cpu_count
from sleepsweep.errors import UserError
from sleepsweep.forecast import drawn
from sleepsweep.learn.memory import is_gpu_full
from sleepsweep.packing.packing import WORTH, Packed, Packing
from sleepsweep.packing.together import Task, in_one_process, in_processes
from sleepsweep.plan import Plan
from sleepsweep.systemmetrics import memory_mib

MOST_MEMBERS = 64
"""The largest pack that is measured."""
FULL = 0.9
"""The part of a memory that trials may fill."""


def measured(plan: Plan) -> dict[str, Packing]:
    """Measure what can be done on this machine: trials at once, and where it has a GPU packs."""
    packs = {"packs": tune_pack(plan)} if torch.cuda.is_available() else {}
    return {"packing": tune_packing(plan), **packs}


def tune_packing(plan: Plan) -> Packing:
    """Measure a plan's largest policy on this machine's GPU, or on its processors without one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    task, total = _task(plan, device)
    most = max(cpu_count() // task.threads, 1)
    return Packing(device, total, tuple(_measured(partial(in_processes, task), most, total)))


def tune_pack(plan: Plan) -> Packing:
    """Measure packs of a plan's policies, largest first, on this machine's GPU."""
    task, total = _task(plan, "cuda")
    found = tuple(_measured(partial(in_one_process, task), MOST_MEMBERS, total))
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


def _task(plan: Plan, device: str) -> tuple[Task, float]:
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
