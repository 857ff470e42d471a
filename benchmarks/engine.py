"""What the engine takes of a sweep: seconds a trial, milliseconds a report, the driver's memory.

    python -m benchmarks.engine [--trials 30 100 300 1000] [--reports 4] [--busy-s 30]

Trials do nothing, so that what is left is the engine: plan, Ray, search, scheduler, records in the
sweep's folder. Each sweep runs twice, with one report a trial and with several, in a process of its
own; what the additional reports take divided by their number is the time of one. Time counts from
the first trial's start to the last one's end: Ray's own start is stated beside it.

``--busy-s`` compares a sweep of trials that wait so long with the time they wait: what a sweep of
real trials loses to the engine.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sleepsweep.data.store import Store
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import make_plan
from sleepsweep.rayenv import set_ray
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trainable import Metrics
from sleepsweep.trial import TrialSpec

CONCURRENT, BUSY_TRIALS = 2, 12
POOL = (
    "RandomAmplitudeScaling", "RandomDCShift", "SignFlip", "RandomBandStopFilter", "TailoredMixup",
    "CutoutResize", "RandomZeroMasking", "AverageFiltering", "RandomAdditiveGaussianNoise",
    "TimeReversal", "TimeWarping", "Permutation", "RandomTimeShift",
)  # fmt: skip
Figures = dict[str, float]


def space(trials: int, reports: int) -> SweepSpec:
    """A designed sweep of so many trials, which report so often."""
    pool = {name: {"p": {"uniform": [0.3, 1.0]}} for name in POOL}
    return SweepSpec.model_validate({
        "name": "idle",
        "data": {"simulated": {"subjects": 10}},
        "split": {"blocks": 4, "test": 0.2, "validation": 0.25},
        "pretrain": {"batch_size": 16, "steps": 2 ** (reports - 1)},
        "augmentations": {"size": [1, 6], "pool": pool},
        "search": {
            "trials": 0, "designs": [{"factorial": {"trials": trials}}], "baselines": False,
        },
        "scheduler": {"grace_steps": 1, "factor": 2},
        "resources": {"concurrent": CONCURRENT},
    })  # fmt: skip


def wait(
    trial: TrialSpec, store: Store, checkpoint: Path | None = None, exam: Store | None = None,
    device: str = "cpu", *, busy_s: float = 0.0,
) -> Iterator[Metrics]:  # fmt: skip
    """Report at each rung as a trial does, and wait `busy_s` seconds in all."""
    confusions = {subject: [[1] * 5] * 5 for subject in trial.validation}
    for rung, step in enumerate(trial.rungs):
        time.sleep(busy_s / len(trial.rungs))
        yield Metrics(rung, step, 1.0, False, busy_s, confusions)


class Clock:
    """An observer that notes when trials began and when the last rung came in."""

    def __init__(self) -> None:
        self.began = self.ended = 0.0
        self.reports = 0

    def trial_started(self, record: TrialRecord) -> None:
        """Note the first trial."""
        self.began = self.began or time.perf_counter()

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """Count a rung."""
        self.ended = time.perf_counter()
        self.reports += 1

    def trial_failed(self, record: TrialRecord) -> None:
        """End the benchmark: no trial of it may fail."""
        raise RuntimeError(record.error)


def run(trials: int, reports: int, busy_s: float) -> Figures:
    """Run one sweep in this process."""
    set_ray()
    from sleepsweep.sweep import run_sweep

    with TemporaryDirectory() as name:
        started = time.perf_counter()
        plan = make_plan(space(trials, reports))
        planned = time.perf_counter()
        folder, clock = SweepFolder(Path(name) / "sweep"), Clock()
        folder.begin(plan.manifest(), fresh=False)
        if not run_sweep(plan, folder, [folder, clock], partial(wait, busy_s=busy_s)):
            raise RuntimeError("the sweep did not end")
        ended = time.perf_counter()
    if clock.reports != trials * reports:
        raise RuntimeError(f"{clock.reports} reports of {trials * reports}")
    return {
        "plan_s": planned - started,
        "trials_s": clock.ended - clock.began,
        "around_s": ended - planned - (clock.ended - clock.began),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure(trials: int, reports: int, busy_s: float = 0.0) -> Figures:
    """Run one sweep in a process of its own."""
    asked = ["--one", str(trials), str(reports), str(busy_s)]
    command = [sys.executable, "-m", "benchmarks.engine", *asked]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: Figures = json.loads(ended.stdout.splitlines()[-1])
    return figures


def curve(counts: Sequence[int], reports: int) -> Iterator[str]:
    """Yield the table of overheads over the number of trials, a line at a time."""
    yield "| trials | plan, s | s a trial | ms a report | before and after, s | driver, MiB |"
    yield "|--:|--:|--:|--:|--:|--:|"
    for count in counts:
        once, often = measure(count, 1), measure(count, reports)
        trial_s = once["trials_s"] / count
        report_ms = 1000 * (often["trials_s"] - once["trials_s"]) / (count * (reports - 1))
        yield (
            f"| {count:,} | {often['plan_s']:.2f} | {trial_s:.3f} | {report_ms:.1f} "
            f"| {often['around_s']:.1f} | {often['memory_mib']:.0f} |"
        )


def lost(busy_s: float, reports: int) -> str:
    """Say how much longer a sweep takes than its trials on their slots."""
    figures = measure(BUSY_TRIALS, reports, busy_s)
    least = BUSY_TRIALS * busy_s / CONCURRENT
    return (
        f"{BUSY_TRIALS} trials of {busy_s:g} s on {CONCURRENT} slots: {figures['trials_s']:.1f} s "
        f"from the first start to the last end, {100 * (figures['trials_s'] / least - 1):+.1f} % "
        f"against {least:g} s; Ray's start and end {figures['around_s']:.1f} s"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engine", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--trials", type=int, nargs="*", default=[30, 100, 300, 1000])
    parser.add_argument("--reports", type=int, default=4)
    parser.add_argument("--busy-s", type=float, default=30.0)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        trials, reports, busy_s = options.one
        print(json.dumps(run(int(trials), int(reports), float(busy_s))))
        return
    for line in curve(options.trials, options.reports):
        print(line, flush=True)
    if options.busy_s:
        print(lost(options.busy_s, options.reports))


if __name__ == "__main__":
    main()
