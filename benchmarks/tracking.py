"""What logging costs a sweep: its wall time without MLflow, with a server, and with one that stops.

    python -m benchmarks.tracking [--trials 60] [--rung-s 1.0] [--outage-s 60]

Trials that only wait run on Ray, so that the machine is idle but for the engine and its log. The
server is a process of its own, on loopback; it is ended a quarter into the sweep and started again
later.
"""

import argparse
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.engine import CONCURRENT, Clock, space, wait
from benchmarks.observed import Timed
from benchmarks.server import Server, logged
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan, make_plan
from sleepsweep.rayenv import set_ray
from sleepsweep.tracking import Tracker

if TYPE_CHECKING:
    from sleepsweep.observer import Observer

RUNGS = 4


@dataclass
class Outage:
    """A `server` that is ended so many seconds after `running` begins, and started again later."""

    server: Server
    at_s: float
    lasts_s: float
    over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """End and start the server while the block runs; it has been started when that is left."""
        ends = threading.Timer(self.at_s, self.server.stop)
        starts = threading.Timer(self.at_s + self.lasts_s, self._start)
        for timer in (ends, starts):
            timer.start()
        yield
        for timer in (ends, starts):
            timer.join()

    def _start(self) -> None:
        self.server.start()
        self.over.set()


@dataclass(frozen=True)
class Logged:
    """A sweep that was run: its folder, the time of its trials, what MLflow misses at its end.

    `calls_s` are the seconds of each call of its observers.
    """

    sweep: SweepFolder
    wall_s: float
    calls_s: Sequence[float]
    unsent: str | None


def measure(plan: Plan, folder: Path, rung_s: float, server: Server | None) -> Logged:
    """Run a sweep of trials that only wait, in `folder`, logged by the `server`."""
    set_ray()
    from sleepsweep.sweep import run_sweep

    sweep, clock = SweepFolder(folder), Clock()
    sweep.begin(plan.manifest(), fresh=False)
    tracker = None if server is None else Tracker(folder, sweep.read_manifest(), server.uri)
    observers: list[Observer] = [sweep] if tracker is None else [sweep, tracker]
    timed = Timed(observers)
    run_sweep(plan, sweep, [timed, clock], partial(wait, busy_s=RUNGS * rung_s))
    unsent = tracker.close(complete=True) if tracker else None
    return Logged(sweep, clock.ended - clock.began, timed.calls_s, unsent)


def send_the_rest(sweep: SweepFolder, server: Server) -> str | None:
    """Send what a sweep's server misses, as ``sleepsweep sync`` does; return what it still does."""
    server.wait()
    tracker = Tracker(sweep.path, sweep.read_manifest(), server.uri)
    tracker.catch_up(sweep.records())
    return tracker.close(complete=True, patience_s=60, renewed=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tracking", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--rung-s", type=float, default=1.0)
    parser.add_argument("--outage-s", type=float, default=60.0)
    options = parser.parse_args()
    plan = make_plan(space(options.trials, RUNGS))
    with TemporaryDirectory() as name:
        server = Server(Path(name))
        server.start()
        server.wait()
        try:
            _compare(plan, Path(name), server, options.rung_s, options.outage_s)
        finally:
            server.stop()


def _compare(plan: Plan, folder: Path, server: Server, rung_s: float, outage_s: float) -> None:
    least_s = len(plan.slots) * RUNGS * rung_s / CONCURRENT
    _print("no MLflow", measure(plan, folder / "alone", rung_s, None), least_s)
    served = measure(plan, folder / "served", rung_s, server)
    _print("server", served, least_s)
    _print_logged(server, served)
    with Outage(server, least_s / 4, outage_s).running():
        stopped = measure(plan, folder / "stopped", rung_s, server)
    _print(f"server stopped for {outage_s:.0f} s", stopped, least_s)
    _print_logged(server, stopped)


def _print(name: str, ran: Logged, least_s: float) -> None:
    calls = sorted(1000 * call for call in ran.calls_s)
    print(
        f"{name:<24} {ran.wall_s:7.1f} s, {100 * (ran.wall_s / least_s - 1):+.1f} % on the "
        f"{least_s:.0f} s of its trials; a call of the observers: median "
        f"{calls[len(calls) // 2]:.1f} ms, longest {calls[-1]:.0f} ms",
        flush=True,
    )


def _print_logged(server: Server, ran: Logged) -> None:
    unsent = ran.unsent
    if unsent:
        print(f"  at its end: {unsent[:200]}")
        unsent = send_the_rest(ran.sweep, server)
    records = ran.sweep.records()
    found = logged(server.uri, ran.sweep.read_manifest()["id"])
    points = sum(len(steps) for _, steps in found.values())
    rungs = sum(len(record.rows) for record in records)
    running = sum(status == "RUNNING" for status, _ in found.values())
    print(
        f"  in MLflow: {len(found)} of {len(records)} runs, {points} of {rungs} rungs, "
        f"{running} left running; {unsent or 'nothing missing'}",
        flush=True,
    )


if __name__ == "__main__":
    main()
