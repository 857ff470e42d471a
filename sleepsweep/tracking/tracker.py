"""An observer that logs a sweep while it runs.

Logging happens on a thread of its own, so that a slow server never holds up a trial; every call is
repeatable, so that a resumed sweep fills in what is missing.
"""

import json
import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sleepsweep.spec import SweepSpec
from sleepsweep.sweepfolder import TrialRecord
from sleepsweep.tracking.runs import (
    RESULTS,
    STUDY,
    TABLES,
    TRIAL_TAG,
    flat,
    log_params,
    log_results,
    log_rung,
    run_name,
    search_all,
    trial_params,
)
from sleepsweep.tracking.server import VIEW, connect, experiment_id, runs_view

Task = Callable[[], None]

PARENT_TAG = "sleepsweep.sweep"
STATUS = {"done": "FINISHED", "stop": "FINISHED", "collapsed": "FINISHED", "failed": "FAILED"}


class Tracker:
    """Observes a sweep and logs it. `close` waits until everything is logged."""

    def __init__(
        self, spec: SweepSpec, folder: Path, sweep_id: str, categories: Mapping[str, str]
    ) -> None:
        self._spec = spec
        self._sweep_id = sweep_id
        self._categories = categories
        self._client = connect(spec.tracking.uri, folder)
        self._experiment = experiment_id(self._client, spec, folder)
        self._parent = self._parent_run()
        self._client.set_experiment_tag(
            self._experiment, f"mlflow.sharedViewState.{VIEW}", json.dumps(runs_view(self._parent))
        )
        self._runs = self._known_runs()
        self._logged: dict[str, int] = {}
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._errors: list[Exception] = []
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def trial_started(self, record: TrialRecord) -> None:
        """Open the trial's run, or open it again."""
        self._tasks.put(lambda: self._open(record))

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """Log the rung's scores; close the run when it was the trial's last."""
        self._tasks.put(lambda: self._log_rungs(record, record.rows.index(row) + 1))
        if record.is_finished:
            self._tasks.put(lambda: self._finish(record))

    def trial_failed(self, record: TrialRecord) -> None:
        """Close the run as failed."""
        self._tasks.put(lambda: self._finish(record))

    def catch_up(self, records: list[TrialRecord]) -> None:
        """Log what an interrupted launch recorded in the folder but not in MLflow."""
        for record in records:
            self._tasks.put(lambda record=record: self._repair(record))  # type: ignore[misc]

    def attach(self, folder: Path, name: str) -> None:
        """Attach a folder of files to the parent run."""
        self._tasks.put(lambda: self._client.log_artifacts(self._parent, str(folder), name))

    def describe(self, manifest: Mapping[str, Any]) -> None:
        """Record what the sweep is about, so that its results can be read while it runs."""
        said = {key: manifest[key] for key in ("study", "provenance")}
        text = json.dumps(said, indent=1)
        self._tasks.put(lambda: self._client.log_text(self._parent, text, f"{RESULTS}/{STUDY}"))

    def attach_tables(self, folder: Path) -> None:
        """Attach the results tables of the sweep in `folder` to the parent run."""
        for name in TABLES:
            path = str(folder / name)
            self._tasks.put(
                lambda path=path: self._client.log_artifact(self._parent, path, RESULTS)  # type: ignore[misc]
            )

    def conclude(self, results: Mapping[str, float | str]) -> None:
        """Record what the sweep found on the parent run: numbers as metrics, words as tags.

        MLflow's pages sort and filter sweeps by them.
        """
        self._tasks.put(lambda: log_results(self._client, self._parent, results))

    def close(self, *, complete: bool) -> list[Exception]:
        """Wait for the log to be written and close the parent run.

        Returns the errors of what could not be logged; the sweep's folder has all of it.
        """
        self._tasks.put(lambda: self._close_runs("FINISHED" if complete else "KILLED"))
        self._tasks.put(None)
        self._thread.join()
        return self._errors

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except Exception as error:  # noqa: BLE001 - kept for close(), which returns them
                self._errors.append(error)

    def _parent_run(self) -> str:
        found = self._client.search_runs(
            [self._experiment], f"tags.`{PARENT_TAG}` = '{self._sweep_id}'"
        )
        if found:
            self._client.update_run(found[0].info.run_id, status="RUNNING")
            return str(found[0].info.run_id)
        tags = {PARENT_TAG: self._sweep_id, "kind": "sweep"}
        if self._spec.question:
            tags["mlflow.note.content"] = self._spec.question
        run = self._client.create_run(self._experiment, tags=tags, run_name=self._spec.name)
        log_params(self._client, run.info.run_id, flat(self._spec.model_dump(mode="json")))
        return str(run.info.run_id)

    def _known_runs(self) -> dict[str, str]:
        mine = f"tags.`mlflow.parentRunId` = '{self._parent}'"
        runs = search_all(self._client, self._experiment, mine)
        return {run.data.tags[TRIAL_TAG]: run.info.run_id for run in runs}

    def _open(self, record: TrialRecord) -> None:
        known = self._runs.get(record.trial.id)
        if known is not None:
            self._client.update_run(known, status="RUNNING")
            return
        run = self._client.create_run(
            self._experiment, tags=self._tags(record), run_name=run_name(record)
        )
        self._runs[record.trial.id] = run.info.run_id
        log_params(self._client, run.info.run_id, trial_params(record))
        spec = record.trial.model_dump(mode="json")
        self._client.log_text(run.info.run_id, json.dumps(spec, indent=1), "trial.json")

    def _tags(self, record: TrialRecord) -> dict[str, str]:
        categories = {self._categories[member.name] for member in record.trial.policy}
        return {
            "mlflow.parentRunId": self._parent,
            TRIAL_TAG: record.trial.id,
            "policy": record.trial.policy_text,
            "size": str(record.trial.size),
            "categories": ", ".join(sorted(categories)) or "none",
            "block": str(record.trial.block),
            "kind": record.kind,
        }

    def _log_rungs(self, record: TrialRecord, until: int) -> None:
        run = self._runs[record.trial.id]
        for row in record.rows[self._rungs_in(run) : until]:
            log_rung(self._client, run, row)
            self._logged[run] = row["rung"] + 1

    def _rungs_in(self, run: str) -> int:
        if run not in self._logged:
            self._logged[run] = len(self._client.get_metric_history(run, "macro_f1"))
        return self._logged[run]

    def _finish(self, record: TrialRecord) -> None:
        run = self._runs[record.trial.id]
        self._client.set_tag(run, "decision", record.state)
        if record.error:
            self._client.log_text(run, record.error, "error.txt")
        self._client.set_terminated(run, STATUS[record.state])

    def _repair(self, record: TrialRecord) -> None:
        if record.trial.id not in self._runs:
            self._open(record)
        self._log_rungs(record, len(record.rows))
        if record.state in STATUS:
            self._finish(record)

    def _close_runs(self, status: str) -> None:
        for run in self._known_runs().values():
            if self._client.get_run(run).info.status == "RUNNING":
                self._client.set_terminated(run, "KILLED")
        self._client.set_terminated(self._parent, status)
