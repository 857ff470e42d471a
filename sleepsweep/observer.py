"""Who is told of a sweep's progress, and what of a trial's results is recorded."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sleepsweep.folder.record import TrialRecord
from sleepsweep.trial import TrialSpec

ROW = (
    "rung", "step", "loss", "time_s", "accuracy", "macro_f1", "kappa", "f1.W", "f1.N1",
    "f1.N2", "f1.N3", "f1.R", "confusions", "host", "device", "version",
)  # fmt: skip
"""What a worker reports and a recorded rung keeps."""


class Observer(Protocol):
    """What is told of a sweep's progress, where it is launched, in the order of what happens."""

    def trial_started(self, record: TrialRecord) -> None:
        """A trial begins, or continues after an interruption."""

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """A trial reached a rung; `row` holds its scores and the decision."""

    def trial_failed(self, record: TrialRecord) -> None:
        """A trial ended with an error, which ``record.error`` holds."""


class Observers:
    """Keeps records of trials up to date, and tells all observers."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def started(self, record: TrialRecord) -> None:
        """A trial begins, or continues."""
        record.error = None
        for observer in self._observers:
            observer.trial_started(record)

    def reached(
        self, record: TrialRecord, result: Mapping[str, Any], bracket: int, *, stopped: bool
    ) -> None:
        """A trial reached a rung; `stopped` is what the scheduler said of it.

        A trial that goes on from its checkpoint reports the rungs in it again: these are known.
        """
        if result["rung"] < len(record.rows):
            return
        row = row_of(result, record.trial, bracket, stopped=stopped)
        record.rows.append(row)
        for observer in self._observers:
            observer.rung_reported(record, row)

    def failed(self, record: TrialRecord, error: str) -> None:
        """A trial ended with an error, whose traceback is given."""
        record.error = error
        for observer in self._observers:
            observer.trial_failed(record)


def row_of(
    result: Mapping[str, Any], trial: TrialSpec, bracket: int, *, stopped: bool
) -> dict[str, Any]:
    """Return what is recorded of a rung's `result`; `stopped` is what the scheduler said of it."""
    row = {key: result[key] for key in ROW}
    return {
        **row,
        "bracket": bracket,
        "decision": _decision(result, trial, stopped=stopped),
        "recorded_ms": time.time_ns() // 1_000_000,
    }


def _decision(result: Mapping[str, Any], trial: TrialSpec, *, stopped: bool) -> str:
    if result["collapsed"]:
        return "collapsed"
    if result["step"] >= trial.rungs[-1]:
        return "done"
    return "stop" if stopped else "continue"
