"""The memory of a pretraining trial: its own beyond the imports, and the store's, which is shared.

    python -m benchmarks.memory [--batches 256 1024] [--steps 3]

A trial's own is the highest resident memory of a process that takes steps of a trial's whole loop
(see `benchmarks.pretraining`), less what it was after the imports and less the pages of the store.
torch's compiler counts as imported: every optimiser of torch loads it at its first step, 65 MiB.
Beside ours, the same loop on torch's own layers. The store's pages are all touched first. Of these,
processes that run at once on one store have their proportional share, as Linux tells it.

Stores are white noise; the work done on an epoch does not depend on what is in it. Every figure is
of a fresh process.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch._dynamo  # as an optimiser does at its first step

from benchmarks.pretraining import of_torch, our_loop
from benchmarks.store import MEBI, make_store, memory, peak
from benchmarks.tables import markdown_table
from sleepsweep.data import store_files
from sleepsweep.data.store import Store
from sleepsweep.learn.encoders import SimpleSleepNet

BATCHES, STEPS = (256, 1024), 3
SIZES, EPOCHS = ("small", "large"), (2_500, 25_000)
PROCESSES = (1, 2, 4)
Figures = dict[str, float]


def of_file(path: Path, smaps: str) -> Figures:
    """MiB of a file's pages in this process, from ``/proc/self/smaps``: all, and its share."""
    found = {"Rss": 0.0, "Pss": 0.0}
    is_of_file = False
    for line in smaps.splitlines():
        name, *values = line.split(maxsplit=5)
        if not name.endswith(":"):
            is_of_file = bool(values) and values[-1] == str(path)
        elif is_of_file and name[:-1] in found:
            found[name[:-1]] += float(values[0]) / MEBI
    return {"pages": found["Rss"], "share": found["Pss"]}


def trial(folder: Path, network: str, batch: int, steps: int) -> Iterator[Figures]:
    """Take steps of a trial and yield its memory; go on once others that run beside have, too."""
    torch.set_num_threads(1)
    before = memory()
    store = Store.open(folder)
    for rows in np.array_split(store.rows(store.subjects), 100):
        store.gather(rows)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is told from here on
    encoder = SimpleSleepNet()
    step = our_loop(store, batch, of_torch(encoder) if network == "plain" else encoder)
    for _ in range(steps):
        step()
    highest = peak()
    yield {}
    pages = of_file(folder / store_files.EPOCHS, Path("/proc/self/smaps").read_text())
    imports = before["own"] + before["of_files"]
    yield {"own": highest - imports - pages["pages"], "imports": imports, **pages}


def at_once(count: int, *arguments: object) -> list[Figures]:
    """Run so many trials at once; they tell their memory once all have taken their steps."""
    command = [sys.executable, "-m", "benchmarks.memory", "--trial", *map(str, arguments)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    trials = [subprocess.Popen(command, **pipes) for _ in range(count)]
    _answers(trials)  # all have taken their steps
    for each in trials:
        each.stdin.write("go\n")  # type: ignore[union-attr]
        each.stdin.flush()  # type: ignore[union-attr]
    told = _answers(trials)  # and none ends before all have told
    for each in trials:
        each.communicate()
    return told


def _answers(trials: Sequence["subprocess.Popen[str]"]) -> list[Figures]:
    lines = [each.stdout.readline() for each in trials]  # type: ignore[union-attr]
    if not all(lines):
        raise RuntimeError("a trial ended before it had told its memory")
    return [json.loads(line) for line in lines]


def measure(batches: Sequence[int], steps: int, epochs: dict[str, int]) -> dict[str, Any]:
    """Measure trials at each size of a batch, on a small and on a large store, and side by side."""
    with tempfile.TemporaryDirectory() as root:
        stores = {size: Path(root, size) for size in epochs}
        for size, folder in stores.items():
            make_store(folder, epochs[size])
        small, large = stores.values()
        trials = {
            str(batch): {
                "small": at_once(1, small, "ours", batch, steps)[0],
                "large": at_once(1, large, "ours", batch, steps)[0],
                "plain": at_once(1, large, "plain", batch, steps)[0],
            }
            for batch in batches
        }
        shared = {str(count): at_once(count, large, "ours", min(batches), 1) for count in PROCESSES}
    return {"epochs": epochs, "trials": trials, "shared": shared}


def markdown(results: dict[str, Any]) -> str:
    """Return the results as two tables."""
    small, large = (f"{count:,}" for count in results["epochs"].values())
    head = ["batch", f"ours, {small} epochs, MiB", f"ours, {large} epochs, MiB",
            f"plain torch, {large} epochs, MiB"]  # fmt: skip
    rows = [
        [batch, *(f"{found[kind]['own']:.0f}" for kind in ("small", "large", "plain"))]
        for batch, found in results["trials"].items()
    ]
    shares = [
        [count, f"{max(one['pages'] for one in found):.0f}",
         f"{max(one['share'] for one in found):.0f}"]
        for count, found in results["shared"].items()
    ]  # fmt: skip
    of_store = ["trials at once", "pages of the store in each, MiB", "each one's share, MiB"]
    return f"{markdown_table(head, rows)}\n\n{markdown_table(of_store, shares)}"


def main() -> None:
    """Measure, and print tables and a line of JSON; or be one trial in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--batches", type=int, nargs="+", default=list(BATCHES))
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--epochs", type=int, nargs=2, default=list(EPOCHS), help="of two stores")
    parser.add_argument("--trial", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.trial:
        folder, network, batch, steps = options.trial
        for figures in trial(Path(folder), network, int(batch), int(steps)):
            print(json.dumps(figures), flush=True)
            sys.stdin.readline()
        return
    results = measure(options.batches, options.steps, dict(zip(SIZES, options.epochs, strict=True)))
    print(markdown(results))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
