"""What the driver's parts cost a call when so many trials have gone before; no Ray, no training.

    python -m benchmarks.growth [--trials 250 1000 4000]

Parts that read every trial again are told from those that do not: `benchmarks.scale` measures the
whole driver, and of fewer trials.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.engine import space, wait
from benchmarks.tables import markdown_table
from sleepsweep.data.store import Store
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.standing import standing
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.observer import row_of
from sleepsweep.plan import Plan, make_plan
from sleepsweep.rayenv import set_ray
from sleepsweep.search.schedulers import make_scheduler
from sleepsweep.search.searcher import SweepSearcher
from sleepsweep.terminal.display import LiveTable
from sleepsweep.trial import TrialSpec

REPORTS, CALLS, SAMPLED = 4, 5, 200
Figures = dict[str, float]


@dataclass(frozen=True)
class Sweep:
    """A sweep whose first trials have ended: its plan, their records, one trial that begins."""

    plan: Plan
    records: Sequence[TrialRecord]
    begun: TrialRecord

    @classmethod
    def after(cls, trials: int) -> "Sweep":
        """The sweep when so many searched trials have ended."""
        plan = _plan(trials + 1 + CALLS, "random")
        search = SweepSearcher(plan.space, plan.slots, ())
        configs = (search.suggest(f"t{n}") for n in range(trials + 1))
        *records, begun = map(TrialRecord.of_configuration, configs)
        for record in records:
            record.rows.extend(rows(record.trial, plan.store))
        return cls(plan, records, begun)

    def searcher(self, sampler: str) -> SweepSearcher:
        """The search of a launch that goes on from here, with another sampler."""
        plan = _plan(len(self.plan.slots), sampler)
        slots = plan.slots[len(self.records) + 1 :]
        return SweepSearcher(plan.space, slots, [*self.records, self.begun])


def _plan(trials: int, sampler: str) -> Plan:
    found = space(20, REPORTS)
    search = {"trials": trials, "anchors": 0.0, "sampler": sampler, "designs": (), "baselines": ()}
    return make_plan(found.model_copy(update={"search": found.search.model_copy(update=search)}))


def rows(trial: TrialSpec, store: Store) -> Iterator[dict[str, Any]]:
    """What is recorded of a trial's rungs, at scores that differ between trials."""
    where = {"host": "", "device": "cpu", "version": ""}
    shift = int(trial.id[:4], 16) / 2**18
    for metrics in wait(trial, store):
        scores = {name: score + shift for name, score in metrics.scores.items()}
        yield row_of({**metrics.plain, **scores, **where}, trial, 0, stopped=False)


def measure(trials: int) -> Figures:
    """Milliseconds of one call of each part, when so many trials have ended."""
    sweep = Sweep.after(trials)
    with TemporaryDirectory() as name:
        folder = SweepFolder(Path(name) / "sweep")
        folder.begin(sweep.plan.manifest(), fresh=False)
        recording_s = _seconds(lambda record: _record(folder, record), sweep.records)
        now = time.time()
        for record in sweep.records[SAMPLED:]:
            _record(folder, record)
        status_s = _seconds(lambda _: standing(folder, now), range(CALLS))
    return {
        "record a trial and its rungs, in files": 1000 * recording_s,
        "suggest a trial at random": 1000 * _suggesting(sweep, "random"),
        "suggest a trial by TPE": 1000 * _suggesting(sweep, "tpe"),
        "decide at a rung (ASHA)": 1000 * _deciding(sweep),
        "draw the display, up to twice a second": 1000 * _drawing(sweep),
        "read the folder, once a launch or a status": 1000 * status_s,
    }


def _record(folder: SweepFolder, record: TrialRecord) -> None:
    folder.trial_started(record)
    for row in record.rows:
        folder.rung_reported(record, row)


def _suggesting(sweep: Sweep, sampler: str) -> float:
    search = sweep.searcher(sampler)
    return _seconds(lambda n: search.suggest(f"t{n}"), range(CALLS))


def _deciding(sweep: Sweep) -> float:
    scheduler: Any = make_scheduler(sweep.plan.spec, sweep.records)
    config = {"block": 0, "bracket": 0, "kind": "search"}
    row = {**next(rows(sweep.begun.trial, sweep.plan.store)), "collapsed": False}
    decide = scheduler.on_trial_result
    return _seconds(
        lambda n: decide(None, SimpleNamespace(config={**config, "id": f"new {n}"}), row),
        range(CALLS),
    )


def _drawing(sweep: Sweep) -> float:
    console = Console(file=StringIO(), width=120)
    planned, rungs = len(sweep.plan.slots), sweep.plan.rungs
    displays = [LiveTable(console, "", planned, rungs, sweep.records) for _ in range(CALLS)]
    return _seconds(lambda each: console.print(each.picture()), displays)


def _seconds(work: Callable[[Any], object], over: Sequence[Any]) -> float:
    """The median seconds of the processor that a call takes; the first one sets things up."""
    times = []
    for each in islice(over, SAMPLED):
        started = time.thread_time()
        work(each)
        times.append(time.thread_time() - started)
    return float(np.median(times[1:]))


def markdown(results: dict[int, Figures]) -> str:
    """Return the curve of each part as a row."""
    sizes = sorted(results)
    parts = results[sizes[0]]
    body = [
        [part, *(f"{results[size][part]:.2f}" for size in sizes),
         f"{results[sizes[-1]][part] / results[sizes[0]][part]:.1f}"]
        for part in parts
    ]  # fmt: skip
    times = f"times, of {sizes[-1] / sizes[0]:.0f} times the trials"
    return markdown_table(
        ["ms a call, after so many trials", *(f"{n:,}" for n in sizes), times], body
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--trials", type=int, nargs="+", default=[250, 1000, 4000])
    options = parser.parse_args()
    set_ray()
    results = {trials: measure(trials) for trials in options.trials}
    print(markdown(results))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
