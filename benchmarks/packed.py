"""Trials trained together in one process, against one after the other and against processes.

    python -m benchmarks.packed [--members 1 2 4] [--batch 256] [--steps 2] [--repeats 5]
    python -m benchmarks.packed --device cuda --members 1 2 4 8 16 32 64 --steps 20 --processes 1 8

Trials of `search_spaces/quickstart.yaml`, of one block and each with a policy of its own, are
trained for a few steps: one after the other, in turn, and as one batched program. The three follow
each other in every round; a ratio is the median of those of the rounds. With ``--processes`` as
many processes train a trial each at the same time. Trials an hour are of training alone, in steps
that follow many others: no probe, and no start of a process.

On a CPU: one thread, and seconds of the processor, so that what else the machine does counts less.
On a GPU: seconds until it has done all that it was given. More members than its memory holds, or
more processes, are not measured.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.tables import markdown_table, ms
from benchmarks.timing import Work
from sleepsweep.forecast import drawn
from sleepsweep.learn.memory import forget_peak, is_gpu_full, peak_memory_mib
from sleepsweep.learn.pack import batched, in_turn
from sleepsweep.packing.together import Task, in_processes
from sleepsweep.plan import Plan, make_plan
from sleepsweep.probedrun import pretraining_of
from sleepsweep.spec.specfile import read_study
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.systemmetrics import memory_mib
from sleepsweep.trial import TrialSpec

QUICKSTART = Path(__file__).parents[1] / "search_spaces/quickstart.yaml"
MEMBERS, BATCH, STEPS, REPEATS = (1, 2, 4), 256, 2, 5
TRIAL_STEPS = 2000
"""Of a trial whose number an hour is told."""

PROGRAMS = ("one after the other", "in turn", "batched")
Figures = dict[str, Any]


def trials_of(members: int, batch: int) -> tuple[Plan, list[TrialSpec]]:
    """Return a plan, and so many of its trials."""
    changes = {"pretrain.batch_size": batch, "search.trials": members + 1}
    plan = make_plan(read_study(SweepSpec, QUICKSTART, overrides=changes))
    trials = [trial for _, trial in drawn(plan) if trial.size > 0]
    return plan, trials[:members]


def works_of(plan: Plan, trials: Sequence[TrialSpec], device: str, steps: int) -> dict[str, Work]:
    """Return a call for each way to train trials for so many steps more."""
    packs = [[pretraining_of(trial, plan.store, device) for trial in trials] for _ in PROGRAMS]
    gather, rows = plan.store.gather, [plan.store.rows(trial.train) for trial in trials]

    def one_after_the_other() -> None:
        for run, own in zip(packs[0], rows, strict=True):
            run.run(gather, own, run.step + steps)

    return {
        "one after the other": one_after_the_other,
        "in turn": lambda: in_turn(packs[1], gather, rows, steps),
        "batched": lambda: batched(packs[2], gather, rows, steps),
    }


def measure_pack(
    plan: Plan, trials: Sequence[TrialSpec], device: str, steps: int, repeats: int
) -> dict[str, Figures]:
    """Measure the three ways: seconds of a step of a trial, how often as fast, MiB at most."""
    found: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    peaks = {}
    works = works_of(plan, trials, device, steps)
    for name, work in works.items():  # the first time also sets all up
        forget_peak(torch.device(device))
        work()
        peaks[name] = peak_memory_mib(torch.device(device))
    for _ in range(repeats):
        for name, work in works.items():
            started = clock(device)
            work()
            found[name].append((clock(device) - started) / len(trials) / steps)
    base = found["one after the other"]
    return {
        name: {
            "step_s": median(each),
            "times_as_fast": median(a / b for a, b in zip(base, each, strict=True)),
            "trials_an_hour": 3600 / median(each) / TRIAL_STEPS,
            "peak_mib": peaks[name],
        }
        for name, each in found.items()
    }


def clock(device: str) -> float:
    """Seconds of the processor; on a GPU those of the clock, once it has done what it was given."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def measure_processes(plan: Plan, trial: TrialSpec, device: str, count: int) -> Figures:
    """Measure so many processes that train a trial each at the same time."""
    used, _ = memory_mib(device)
    found = in_processes(Task((trial,), plan.store, device, 1, used), count)
    step_s = trial.pretrain.batch_size / found.samples_per_s
    return {"step_s": step_s, "trials_an_hour": 3600 / step_s / TRIAL_STEPS}


def measure(
    members: Sequence[int], batch: int, steps: int, repeats: int, device: str,
    processes: Sequence[int],
) -> dict[str, dict[str, Figures]]:  # fmt: skip
    """Measure every number of processes, then every number of members."""
    plan, trials = trials_of(max(members), batch)
    largest = max(trials, key=lambda trial: trial.size)
    # Before this process fills the GPU itself: of what it was once given it returns nothing.
    shared = until_full(lambda count: measure_processes(plan, largest, device, count), processes)
    packs = until_full(
        lambda count: measure_pack(plan, trials[:count], device, steps, repeats), members
    )
    return {"packs": packs, "processes": shared}


def until_full(measured: Callable[[int], Figures], counts: Sequence[int]) -> dict[str, Figures]:
    """Measure every number up to the first for which a GPU has no memory."""
    found = {}
    for count in counts:
        try:
            found[str(count)] = measured(count)
        except RuntimeError as error:
            if not is_gpu_full(f"{type(error).__name__}: {error}"):
                raise
            break
    return found


def markdown(results: dict[str, dict[str, Figures]]) -> str:
    """Return the results as tables."""
    packs = [
        [count, name, ms(each["step_s"]), f"{each['times_as_fast']:.2f}",
         f"{each['trials_an_hour']:.2f}", f"{each['peak_mib']:.0f}"]
        for count, programs in results["packs"].items()
        for name, each in programs.items()
    ]  # fmt: skip
    head = [
        "trials",
        "program",
        "a step of one, ms",
        "times as fast",
        "trials an hour",
        "peak, MiB",
    ]
    shared = [
        [count, ms(each["step_s"]), f"{each['trials_an_hour']:.2f}"]
        for count, each in results["processes"].items()
    ]
    processes = markdown_table(["processes", "a step of one, ms", "trials an hour"], shared)
    return "\n\n".join([markdown_table(head, packs), *([processes] if shared else [])])


def main() -> None:
    """Measure, and print tables and a line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.packed", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--members", type=int, nargs="+", default=list(MEMBERS))
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--processes", type=int, nargs="*", default=[])
    torch.set_num_threads(1)
    results = measure(**vars(parser.parse_args()))
    print(markdown(results))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
