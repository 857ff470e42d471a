"""What logging costs a sweep: its wall time without MLflow, with a server, and with one that stops.

    python -m benchmarks.tracking [--trials 60] [--rung-s 1.0] [--outage-s 60]

Trials that only wait report to the engine's observers, as the driver calls them: what the log takes
of the driver makes the sweep longer, and what the machine does besides does not. The server is a
process of its own, on loopback; it is ended a quarter into the sweep and started again later.
"""

import argparse
import heapq
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan, make_plan
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.sweep import Observer
from sleepsweep.tracking import Tracker
from sleepsweep.tracking.runs import PARENT_TAG, SWEEP_TAG, TRIAL_TAG, tagged
from sleepsweep.tracking.server import open_client

RUNGS, CONCURRENT = 4, 2
SPACE: dict[str, Any] = {
    "name": "tracked",
    "data": {"source": "simulated", "simulated": {"subjects": 5}},
    "split": {"blocks": 1, "test": 0.2, "validation": 0.25},
    "pretrain": {"batch_size": 16, "steps": 8},
    "augmentations": {"size": [0, 1], "pool": {"SignFlip": {"p": 0.5}}},
    "search": {"trials": 1, "designs": ["none"], "baselines": False},
    "scheduler": {"grace_steps": 1, "factor": 2},
}


class Server:
    """An MLflow server on loopback that keeps its record in a folder, on one port all its life."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again; it answers seconds later."""
        store = f"sqlite:///{self._folder / 'server.db'}"
        artifacts = str(self._folder / "artifacts")
        command = [
            sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store,
            "--artifacts-destination", artifacts, "--host", "127.0.0.1", "--port", str(self.port),
            "--workers", "1",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, cwd=self._folder, start_new_session=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 120
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError("the MLflow server did not start")
            time.sleep(0.2)

    def stop(self) -> None:
        """End it and its workers at once, as a crash would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@dataclass
class Outage:
    """A `server` that is ended so many seconds into a sweep, and started again later."""

    server: Server
    at_s: float
    lasts_s: float
    begun: bool = False
    ended: bool = False

    def act(self, elapsed_s: float) -> None:
        """End or start the server when it is time."""
        if not self.begun and elapsed_s >= self.at_s:
            self.begun = True
            self.server.stop()
        if self.begun and not self.ended and elapsed_s >= self.at_s + self.lasts_s:
            self.ended = True
            self.server.start()


@dataclass
class Timing:
    """How long a sweep took, and each call of its observers, in seconds."""

    wall_s: float = 0.0
    calls_s: list[float] = field(default_factory=list)


def made_up_trials(plan: Plan, count: int) -> list[TrialRecord]:
    """Trials that differ in their seeds."""
    slot = plan.slots[0]
    assert slot.trial is not None
    trials = [slot.trial.changed(seed=seed) for seed in range(count)]
    return [TrialRecord(order, slot.kind, slot.design, trial) for order, trial in enumerate(trials)]


def run(
    records: Sequence[TrialRecord], observers: Sequence[Observer], rung_s: float,
    outage: Outage | None = None,
) -> Timing:  # fmt: skip
    """Run trials that only wait, `CONCURRENT` at a time, and tell the observers of each rung."""
    timing, waiting, due = Timing(), list(reversed(records)), list[tuple[float, int]]()
    by_order = {record.order: record for record in records}
    started = time.monotonic()

    def tell(call: str, *arguments: Any) -> None:
        before = time.monotonic()
        for observer in observers:
            getattr(observer, call)(*arguments)
        timing.calls_s.append(time.monotonic() - before)

    def begin() -> None:
        if waiting:
            record = waiting.pop()
            tell("trial_started", record)
            heapq.heappush(due, (time.monotonic() + rung_s, record.order))

    for _ in range(CONCURRENT):
        begin()
    while due:
        if outage is not None:
            outage.act(time.monotonic() - started)
        when, order = heapq.heappop(due)
        time.sleep(max(when - time.monotonic(), 0))
        record = by_order[order]
        record.rows.append(_row(len(record.rows)))
        tell("rung_reported", record, record.rows[-1])
        if record.is_finished:
            begin()
        else:
            heapq.heappush(due, (time.monotonic() + rung_s, order))
    timing.wall_s = time.monotonic() - started
    return timing


def _row(rung: int) -> dict[str, Any]:
    scores = dict.fromkeys(("accuracy", "macro_f1", "kappa", "loss"), 0.5 + 0.01 * rung)
    return {
        "rung": rung, "step": 2**rung, "time_s": 1.0 + rung, "bracket": 0, **scores,
        **{f"f1.{stage}": 0.5 for stage in ("W", "N1", "N2", "N3", "R")},
        "decision": "done" if rung == RUNGS - 1 else "continue", "host": "", "device": "cpu",
        "version": "", "recorded_ms": time.time_ns() // 1_000_000,
        "confusions": {"sim000": [[9, 1, 0, 0, 0]] * 5},
    }  # fmt: skip


def logged(uri: str, sweep: str) -> dict[str, tuple[str, list[int]]]:
    """The status of each trial's run at `uri`, and the steps of its points of macro-F1.

    A trial with two runs, or a sweep with two, is an error.
    """
    client, found = open_client(uri), dict[str, tuple[str, list[int]]]()
    for experiment in client.search_experiments():
        for parent in tagged(client, experiment.experiment_id, SWEEP_TAG, sweep):
            children = tagged(client, experiment.experiment_id, PARENT_TAG, parent.info.run_id)
            for run in children:
                trial = run.data.tags[TRIAL_TAG]
                if trial in found:
                    raise RuntimeError(f"trial {trial} has two runs")
                points = client.get_metric_history(run.info.run_id, "macro_f1")
                found[trial] = run.info.status, [point.step for point in points]
    return found


def measure(
    plan: Plan, folder: Path, trials: int, rung_s: float, server: Server | None,
    outage: Outage | None = None,
) -> tuple[Timing, str | None, SweepFolder]:  # fmt: skip
    """Run a sweep in `folder`, logged by the `server`; return what was not logged at its end."""
    sweep = SweepFolder(folder)
    sweep.begin(plan.manifest(), fresh=False)
    records = made_up_trials(plan, trials)
    if server is None:
        return run(records, [sweep], rung_s), None, sweep
    tracker = Tracker(folder, sweep.read_manifest(), server.uri)
    timing = run(records, [sweep, tracker], rung_s, outage)
    return timing, tracker.close(complete=True), sweep


def send_the_rest(sweep: SweepFolder, server: Server) -> str | None:
    """Send what a sweep's server misses, as ``sleepsweep sync`` does; return what it still does."""
    server.wait()
    tracker = Tracker(sweep.path, sweep.read_manifest(), server.uri)
    tracker.catch_up(sweep.records())
    return tracker.close(complete=True, patience_s=60, renewed=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--rung-s", type=float, default=1.0)
    parser.add_argument("--outage-s", type=float, default=60.0)
    options = parser.parse_args()
    plan = make_plan(SweepSpec.model_validate(SPACE))
    with TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder)
        server.start()
        server.wait()
        try:
            _compare(plan, folder, server, options.trials, options.rung_s, options.outage_s)
        finally:
            server.stop()


def _compare(
    plan: Plan, folder: Path, server: Server, trials: int, rung_s: float, outage_s: float
) -> None:
    outage = Outage(server, trials * RUNGS * rung_s / CONCURRENT / 4, outage_s)
    settings: dict[str, tuple[Server | None, Outage | None]] = {
        "no MLflow": (None, None),
        "server": (server, None),
        f"server stopped for {outage_s:.0f} s": (server, outage),
    }
    alone = 0.0
    for number, (name, (used, stopped)) in enumerate(settings.items()):
        place = folder / str(number)
        timing, unsent, sweep = measure(plan, place, trials, rung_s, used, stopped)
        alone = alone or timing.wall_s
        calls = sorted(1000 * call for call in timing.calls_s)
        print(
            f"{name:<24} {timing.wall_s:7.1f} s, slowdown {100 * (timing.wall_s / alone - 1):+.2f} "
            f"%; a call of the observers: median {calls[len(calls) // 2]:.1f} ms, longest "
            f"{calls[-1]:.0f} ms",
            flush=True,
        )
        if used is not None:
            _tell_what_is_logged(used, sweep, unsent)


def _tell_what_is_logged(server: Server, sweep: SweepFolder, unsent: str | None) -> None:
    if unsent:
        print(f"  at its end: {unsent[:200]}")
        unsent = send_the_rest(sweep, server)
    found, records = logged(server.uri, sweep.read_manifest()["id"]), sweep.records()
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
