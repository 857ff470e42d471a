"""What a sweep costs as it grows, on a Ray cluster of many nodes: time, memory, what MLflow misses.

    python -m benchmarks.scale [--trials 240] [--nodes 4] [--concurrent 12] [--reports 2]

One sweep of trials that do nothing runs on an in-process cluster (`ray.cluster_utils`): as many
raylets on this machine, joined by ``resources.cluster`` as any cluster is. The driver's own time is
read at several marks on the way, so that the last rows say whether a trial costs more when many
have gone before. That time is the processor's, of the thread that runs Ray Tune's loop and the
sweep's observers: what else the machine does is not in it.
"""

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.engine import space, wait
from benchmarks.tables import markdown_table
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import make_plan
from sleepsweep.rayenv import set_ray
from sleepsweep.spec.sweepspec import SweepSpec

if TYPE_CHECKING:
    from sleepsweep.observer import Observer
    from sleepsweep.tracking import Tracker

Figures = dict[str, Any]
MARKS = 4
"""How often the driver is read; each mark has twice the trials of the one before."""


def marks(trials: int) -> list[int]:
    """The numbers of trials at which the driver is read."""
    return [trials // 2**k for k in range(MARKS - 1, -1, -1)]


class Meter:
    """An observer, told after all others, that reads the driver when so many trials have ended.

    Figures are those since the mark before. `behind` counts the entries that MLflow's log has yet
    to send.
    """

    def __init__(self, at: Sequence[int], tracker: "Tracker") -> None:
        self._at = list(at)
        self._tracker = tracker
        self._ended = self._reports = 0
        self._last = (0, 0, time.perf_counter(), time.thread_time())
        self.rows: list[Figures] = []
        self.read_at = 0.0

    def trial_started(self, record: TrialRecord) -> None:
        """Start the clock with the first trial: Ray's own start is not the sweep's."""
        if not self._reports:
            self._last = (0, 0, time.perf_counter(), time.thread_time())

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """Count, and read at a mark."""
        self._reports += 1
        self._ended += record.is_finished
        if record.is_finished and self._ended in self._at:
            self._read()

    def trial_failed(self, record: TrialRecord) -> None:
        """End the benchmark: no trial of it may fail."""
        raise RuntimeError(record.error)

    def _read(self) -> None:
        now = (self._ended, self._reports, time.perf_counter(), time.thread_time())
        trials, reports, wall_s, driver_s = (b - a for a, b in zip(self._last, now, strict=True))
        self._last, self.read_at = now, now[2]
        self.rows.append({
            "trials": self._ended, "s_a_trial": wall_s / trials,
            "driver_ms_a_trial": 1000 * driver_s / trials,
            "driver_ms_a_report": 1000 * driver_s / reports,
            "memory_mib": _memory_mib(), "behind": self._tracker.waiting,
        })  # fmt: skip


def _memory_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def cluster(nodes: int, cpus: int) -> Iterator[str]:
    """A Ray cluster of so many nodes of so many processors, all of them here; its address."""
    from ray.cluster_utils import Cluster

    arguments = {"num_cpus": cpus, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    found = Cluster(initialize_head=True, head_node_args=arguments)
    try:
        for _ in range(nodes - 1):
            found.add_node(num_cpus=cpus, object_store_memory=80 * 2**20)
        found.wait_for_nodes()
        yield str(found.address)
    finally:
        found.shutdown()  # type: ignore[no-untyped-call]


def spec(trials: int, reports: int, concurrent: int, address: str) -> SweepSpec:
    """A designed sweep of trials that do nothing, on the cluster at `address`."""
    found = space(trials, reports)
    resources = found.resources.model_copy(update={"concurrent": concurrent, "cluster": address})
    return found.model_copy(update={"resources": resources})


def run(trials: int, reports: int, nodes: int, concurrent: int, profiled: str | None) -> Figures:
    """Run one sweep in this process."""
    set_ray("cluster")
    with cluster(nodes, -(-concurrent // nodes)) as address, TemporaryDirectory() as name:
        from sleepsweep.sweep import run_sweep
        from sleepsweep.tracking import Tracker

        started = time.perf_counter()
        plan = make_plan(spec(trials, reports, concurrent, address))
        planned_s = time.perf_counter() - started
        folder = SweepFolder(Path(name) / "sweep")
        folder.begin(plan.manifest(), fresh=False)
        tracker = Tracker(folder.path, folder.read_manifest(), None)
        meter = Meter(marks(trials), tracker)
        observers: list[Observer] = [folder, folder.log, tracker, meter]
        with _profiled(profiled):
            if not run_sweep(plan, folder, observers, wait):
                raise RuntimeError("the sweep did not end")
        ended = time.perf_counter()
        unsent = tracker.close(complete=True, renewed=True)
        if unsent:
            raise RuntimeError(unsent)
        lag_s, end_s, started = (
            time.perf_counter() - ended,
            ended - meter.read_at,
            time.perf_counter(),
        )
        folder.records()
        return {
            "rows": meter.rows, "plan_s": planned_s, "lag_s": lag_s, "end_s": end_s,
            "read_s": time.perf_counter() - started, "nodes": nodes, "concurrent": concurrent,
            "reports": reports,
        }  # fmt: skip


@contextmanager
def _profiled(path: str | None) -> Iterator[None]:
    if path is None:
        yield
        return
    profile = cProfile.Profile()
    with profile:
        yield
    with Path(path).open("w") as handle:
        pstats.Stats(profile, stream=handle).sort_stats("tottime").print_stats(60)
        pstats.Stats(profile, stream=handle).sort_stats("cumulative").print_stats(90)


def measure(trials: int, reports: int, nodes: int, concurrent: int) -> Figures:
    """Run one sweep in a process of its own."""
    asked = ["--one", "--trials", trials, "--reports", reports, "--nodes", nodes,
             "--concurrent", concurrent]  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.scale", *map(str, asked)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: Figures = json.loads(ended.stdout.splitlines()[-1])
    return figures


def markdown(results: Figures) -> str:
    """Return the curve as a table, and what stands beside it in a sentence."""
    first = results["rows"][0]["driver_ms_a_trial"]
    rows = [
        [f"{row['trials']:,}", f"{row['s_a_trial']:.2f}", f"{row['driver_ms_a_trial']:.1f}",
         f"{row['driver_ms_a_trial'] / first:.2f}", f"{row['driver_ms_a_report']:.1f}",
         f"{row['memory_mib']:.0f}", str(row["behind"])]
        for row in results["rows"]
    ]  # fmt: skip
    last = results["rows"][-1]["trials"]
    head = ["trials ended", "s a trial", "driver, ms a trial", "times the first row",
            "driver, ms a report", "driver, MiB", "MLflow is behind by"]  # fmt: skip
    return "\n\n".join(
        (
            markdown_table(head, rows),
            f"{results['nodes']} nodes, {results['concurrent']} trials at a time, "
            f"{results['reports']} reports each. Planned in {results['plan_s']:.1f} s; after the "
            f"last trial Ray ended in {results['end_s']:.1f} s, and MLflow's file was complete "
            f"{results['lag_s']:.1f} s later; the records of {last:,} trials are read in "
            f"{results['read_s']:.1f} s.",
        )
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--trials", type=int, default=240)
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--concurrent", type=int, default=12)
    parser.add_argument("--reports", type=int, default=2)
    parser.add_argument("--profile", help="write what the driver's time went into to this file")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = options.trials, options.reports, options.nodes, options.concurrent
    if options.one or options.profile:
        print(json.dumps(run(*sizes, options.profile)))
        return
    results = measure(*sizes)
    print(markdown(results))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
