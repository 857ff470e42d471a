"""A sweep as its observers see it: trials that only wait, told of as the driver would; no Ray."""

import heapq
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sleepsweep.folder.record import TrialRecord
from sleepsweep.plan import Plan

if TYPE_CHECKING:
    from sleepsweep.observer import Observer

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


def made_up_trials(plan: Plan, count: int) -> list[TrialRecord]:
    """Trials that differ in their seeds."""
    slot = plan.slots[0]
    assert slot.trial is not None
    trials = [slot.trial.changed(seed=seed) for seed in range(count)]
    return [TrialRecord(order, slot.kind, slot.design, trial) for order, trial in enumerate(trials)]


class Timed:
    """Observers as one, which notes in `calls_s` how long each call of them took, in seconds."""

    def __init__(self, observers: Sequence["Observer"]) -> None:
        self._observers = observers
        self.calls_s: list[float] = []

    def trial_started(self, record: TrialRecord) -> None:
        """Pass it on."""
        self._pass_on("trial_started", record)

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """Pass it on."""
        self._pass_on("rung_reported", record, row)

    def trial_failed(self, record: TrialRecord) -> None:
        """Pass it on."""
        self._pass_on("trial_failed", record)

    def _pass_on(self, call: str, *arguments: Any) -> None:
        before = time.monotonic()
        for observer in self._observers:
            getattr(observer, call)(*arguments)
        self.calls_s.append(time.monotonic() - before)


def run(records: Sequence[TrialRecord], observers: Sequence["Observer"], rung_s: float) -> None:
    """Run trials that only wait, `CONCURRENT` at a time, and tell the observers of each rung."""
    waiting, due = list(reversed(records)), list[tuple[float, int]]()
    by_order = {record.order: record for record in records}

    def begin() -> None:
        if waiting:
            record = waiting.pop()
            for observer in observers:
                observer.trial_started(record)
            heapq.heappush(due, (time.monotonic() + rung_s, record.order))

    for _ in range(CONCURRENT):
        begin()
    while due:
        when, order = heapq.heappop(due)
        time.sleep(max(when - time.monotonic(), 0))
        record = by_order[order]
        record.rows.append(_row(len(record.rows)))
        for observer in observers:
            observer.rung_reported(record, record.rows[-1])
        if record.is_finished:
            begin()
        else:
            heapq.heappush(due, (time.monotonic() + rung_s, order))


def _row(rung: int) -> dict[str, Any]:
    scores = dict.fromkeys(("accuracy", "macro_f1", "kappa", "loss"), 0.5 + 0.01 * rung)
    return {
        "rung": rung, "step": 2**rung, "time_s": 1.0 + rung, "bracket": 0, **scores,
        **{f"f1.{stage}": 0.5 for stage in ("W", "N1", "N2", "N3", "R")},
        "decision": "done" if rung == RUNGS - 1 else "continue", "host": "", "device": "cpu",
        "version": "", "recorded_ms": time.time_ns() // 1_000_000,
        "confusions": {"sim000": [[9, 1, 0, 0, 0]] * 5},
    }  # fmt: skip
