"""Start-up: what a user waits for before anything trains, against what it should be.

    python -m benchmarks.startup [--repeats 3]

Four points: ``sleepsweep --help``, ``sleepsweep check`` of the quickstart, the time from
``sleepsweep launch`` to the first step of training, and the gap between two trials of one worker
(from a trial's last rung to the next one's first step). Medians, in seconds of the clock and, but
for the gap, of the processor: beside other work the first are longer and the second hardly. A
launch's are those of all its processes, Ray's and the worker's too, up to the end of a first rung
of one step.

Trials are small, of simulated nights that are prepared before; one runs at a time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import yaml

from benchmarks.tables import markdown_table
from sleepsweep.data.preparation import prepare
from sleepsweep.data.source import DataSpec

REPEATS, TRIALS, POLL_S = 3, 6, 0.05
QUICKSTART = Path(__file__).parents[1] / "search_spaces" / "quickstart.yaml"
SPACE: dict[str, Any] = {
    "name": "startup",
    "data": {"source": "simulated", "simulated": {"subjects": 5}},
    "split": {"blocks": 1, "test": 0.2, "validation": 0.25},
    "pretrain": {"batch_size": 16, "steps": 1},
    "probe": {"epochs_per_subject": 20},
    "augmentations": {"size": [1, 1], "pool": {"SignFlip": {"p": {"uniform": [0.1, 1.0]}}}},
    "search": {"trials": TRIALS, "designs": [], "baselines": False},
    "scheduler": {"grace_steps": 1},
    "resources": {"concurrent": 1},
}
POINTS = {
    "help": ("sleepsweep --help", 0.5),
    "check": ("sleepsweep check", 1.0),
    "first_step": ("launch to the first step", 15.0),
    "gap": ("between two trials of a worker", 0.2),
}
"""Each point's name and how many seconds it should take at most, without other work beside."""

Figures = dict[str, float]


def sleepsweep(*arguments: str) -> list[str]:
    """The command line of this environment."""
    return [sys.executable, "-m", "sleepsweep", *arguments]


def seconds_of_command(command: Sequence[str]) -> Figures:
    """Run a command to its end; seconds of the clock and of the processor."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    wall_s, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": wall_s, "processor_s": processor_s}


def processor_seconds(process: psutil.Process) -> float:
    """Seconds of the processor that a process and those that it has started took so far."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def trained(folder: Path) -> list[tuple[float, float]]:
    """When each trial of the sweep in `folder` took its first step and ended, in order.

    In seconds since 1970: of a trial's time its reports hold what has passed since its first step.
    """
    spans = []
    for rungs in folder.glob("trials/*/rungs.jsonl"):
        rows = [json.loads(line) for line in rungs.read_text().splitlines()]
        if rows:
            first, last = (rows[place]["recorded_ms"] / 1000 for place in (0, -1))
            spans.append((first - rows[0]["time_s"], last))
    return sorted(spans)


def gaps(spans: Sequence[tuple[float, float]]) -> list[float]:
    """Seconds from the end of each trial to the first step of the next."""
    return [begun - ended for (_, ended), (begun, _) in pairwise(spans)]


def launched(folder: Path) -> tuple[Figures, list[float]]:
    """Launch a sweep in an empty `folder`; what the first step took, and the gaps in seconds."""
    space, out = folder / "space.yaml", folder / "sweep"
    space.write_text(yaml.safe_dump(SPACE))
    command, started = sleepsweep("launch", str(space), "--out", str(out), "--quiet"), time.time()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as launch:
        process = psutil.Process(launch.pid)
        while not trained(out) and launch.poll() is None:
            time.sleep(POLL_S)
        processor_s = processor_seconds(process)
    if launch.returncode:
        raise RuntimeError(f"the launch ended with status {launch.returncode}")
    spans = trained(out)
    return {"wall_s": spans[0][0] - started, "processor_s": processor_s}, gaps(spans)


def measure(repeats: int) -> dict[str, Figures]:
    """Measure the four points, and how much else the machine has to do."""
    prepare(DataSpec.model_validate(SPACE["data"]))
    commands = {"help": sleepsweep("--help"), "check": sleepsweep("check", str(QUICKSTART))}
    runs: dict[str, list[Figures]] = {name: [] for name in POINTS}
    for _ in range(repeats):
        for name, command in commands.items():
            runs[name].append(seconds_of_command(command))
        with TemporaryDirectory() as name:
            first_step, between = launched(Path(name))
        runs["first_step"].append(first_step)
        runs["gap"] += [{"wall_s": seconds} for seconds in between]
    middle = {
        name: {key: median(each[key] for each in found) for key in found[0]}
        for name, found in runs.items()
    }
    return {**middle, "machine": {"cores": os.cpu_count() or 1, "load": os.getloadavg()[0]}}


def markdown(results: dict[str, Figures]) -> str:
    """Return the results as a table, and in which company they were measured."""
    rows = []
    for point, (name, target) in POINTS.items():
        found = results[point]
        processor = f"{found['processor_s']:.2f}" if "processor_s" in found else "–"
        rows.append([name, f"{target:g}", f"{found['wall_s']:.2f}", processor])
    head = ["", "should be, s", "seconds", "of the processor"]
    machine = results["machine"]
    company = f"{machine['cores']:.0f} cores, on which {machine['load']:.1f} processes ran at once."
    return f"{markdown_table(head, rows)}\n\n{company}"


def main() -> None:
    """Measure, and print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=REPEATS)
    results = measure(parser.parse_args().repeats)
    print(markdown(results))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
