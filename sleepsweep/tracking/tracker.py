"""An observer that logs a sweep while it runs, and cannot hurt it.

The driver only notes what has changed: everything is sent on a thread of its own, from what the
sweep's folder holds too. A server that is slow, down or full delays nothing, and what it misses is
sent when it answers again, in a later launch, or by ``sleepsweep sync``.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sleepsweep.folder.record import TrialRecord
from sleepsweep.tracking.mirror import Mirror
from sleepsweep.tracking.outbox import Outbox
from sleepsweep.tracking.runs import KEY_RESULTS, REPORT, RESULTS, TABLES
from sleepsweep.tracking.server import brief, import_mlflow

PATIENCE_S = 30.0
"""Seconds for which the end of a launch waits for the log."""


class Tracker:
    """Observes the sweep of `folder`, whose ``sweep.json`` is `manifest`; logs it at `uri`.

    Without a `uri` that is a file in the folder.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any], uri: str | None) -> None:
        # Here, and not on the thread: two threads that import at once may wait for one another.
        import_mlflow()
        self._folder = folder
        self._where = uri or "its file"
        self._mirror = Mirror(folder, manifest, uri)
        self._records: dict[str, TrialRecord] = {}
        self._outbox = Outbox()
        self._outbox.put("the sweep's run", self._mirror.open)

    @property
    def waiting(self) -> int:
        """How many trials, and other entries, have something that is still to be sent."""
        return self._outbox.waiting

    def trial_started(self, record: TrialRecord) -> None:
        """Open the trial's run, or open it again."""
        self._note(record)

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """Log the rung's scores; close the run when it was the trial's last."""
        self._note(record)

    def trial_failed(self, record: TrialRecord) -> None:
        """Close the run as failed."""
        self._note(record)

    def catch_up(self, records: Iterable[TrialRecord]) -> None:
        """Log what the folder holds, of an earlier launch, and MLflow does not."""
        for record in records:
            self._note(record)

    def attach_results(self) -> None:
        """Attach the tables and the report in the folder to the sweep's run, and what they found.

        The key results become metrics and tags, by which MLflow's pages sort and filter sweeps.
        """
        for name in TABLES:
            if (self._folder / name).exists():
                self._attach(self._folder / name, RESULTS)
        report = self._folder / REPORT
        for path in sorted(path for path in report.rglob("*") if path.is_file()):
            self._attach(path, str(path.parent.relative_to(self._folder)))
        if (report / KEY_RESULTS).exists():
            found = json.loads((report / KEY_RESULTS).read_text())
            self._outbox.put("the key results", partial(self._mirror.conclude, found))

    def close(
        self, *, complete: bool, patience_s: float = PATIENCE_S, renewed: bool = False
    ) -> str | None:
        """Close the runs, wait so long for the log, and return a sentence on what is missing there.

        With `renewed` the patience starts anew with whatever was sent.
        """
        self._mirror.over = True
        self._outbox.put("the sweep's end", partial(self._end, complete=complete))
        left = self._outbox.close(patience_s, renewed=renewed)
        if not left:
            return None
        trials = sum(name in self._records for name in left)
        error = self._outbox.error
        why = brief(error) if error else f"{patience_s:.0f} s were not enough"
        missing = [f"{trials} of {len(self._records)} trials"] if trials else []
        missing += [f"{len(left) - trials} other entries"] if len(left) > trials else []
        return f"MLflow ({self._where}) is still without {' and '.join(missing)}: {why}"

    def _note(self, record: TrialRecord) -> None:
        # As it is now: the driver goes on with the record.
        noted = replace(record, rows=list(record.rows))
        self._records[record.trial.id] = noted
        self._outbox.put(record.trial.id, partial(self._mirror.trial, noted))

    def _attach(self, path: Path, at: str) -> None:
        name = str(path.relative_to(self._folder))
        self._outbox.put(name, partial(self._mirror.attach, path, at))

    def _end(self, *, complete: bool) -> None:
        """Compare what MLflow holds with every trial, once more, and close the sweep's run."""
        self._mirror.look_again()
        for record in self._records.values():
            self._outbox.put(record.trial.id, partial(self._mirror.trial, record))
        status = "FINISHED" if complete else "KILLED"
        self._outbox.put("the sweep's status", partial(self._mirror.end, status))
