"""The log of a sweep: what its launches did, and when, line by line."""

import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sleepsweep.folder.record import TrialRecord


class SweepLog:
    """An observer of a sweep that writes down all that it is told, in the file `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def launched(self, command: str) -> None:
        """Write down that `command` begins to run trials, in which process of which machine."""
        self._write(f"launched by pid {os.getpid()} on {socket.gethostname()}: {command}")

    def ended(self, *, complete: bool) -> None:
        """Write down that this launch has no more trials to run, or was stopped."""
        self._write("complete" if complete else "stopped before the end")

    def noted(self, sentence: str) -> None:
        """Write down what concerns the whole run."""
        self._write(sentence)

    def trial_started(self, record: TrialRecord) -> None:
        """See `sleepsweep.observer.Observer`."""
        again = f", which has {len(record.rows)} rungs" if record.rows else ""
        self._write(f"trial {record.trial.id} started{again}: {record.trial.policy_text}")

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """See `sleepsweep.observer.Observer`."""
        self._write(
            f"trial {record.trial.id} rung {row['rung']} at step {row['step']}: "
            f"macro-F1 {100 * row['macro_f1']:.1f}, {row['decision']}"
        )

    def trial_failed(self, record: TrialRecord) -> None:
        """See `sleepsweep.observer.Observer`."""
        self._write(f"trial {record.trial.id} failed: {record.error_line}")

    def _write(self, what: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._path.open("a", encoding="utf-8") as handle:
            handle.write(f"{now} {what}\n")
