"""An observer that logs a sweep while it runs.

Logging happens on a thread of its own, so that a slow server never holds up a trial; every call is
repeatable, so that a resumed sweep fills in what is missing.
"""

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sleepsweep.spec import SweepSpec
from sleepsweep.sweepfolder import TrialRecord
from sleepsweep.tracking.server import VIEW, connect, experiment_id, runs_view

Task = Callable[[], None]

TRIAL_TAG = "sleepsweep.trial"
PARENT_TAG = "sleepsweep.sweep"
STATUS = {"done": "FINISHED", "stop": "FINISHED", "collapsed": "FINISHED", "failed": "FAILED"}

LONGEST = 5000
"""Characters of a tag that every store of MLflow's takes."""

RESULTS, STUDY = "results", "study.json"
TABLES = ("trials.parquet", "subjects.parquet")
"""Files in the folder `RESULTS` of the parent run, beside `STUDY`."""

METRICS = ("accuracy", "macro_f1", "kappa", "f1.W", "f1.N1", "f1.N2", "f1.N3", "f1.R", "loss",
           "time_s")  # fmt: skip


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
        self._tasks.put(lambda: self._conclude(results))

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
        _log_params(self._client, run.info.run_id, _flat(self._spec.model_dump(mode="json")))
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
            self._experiment, tags=self._tags(record), run_name=_run_name(record)
        )
        self._runs[record.trial.id] = run.info.run_id
        _log_params(self._client, run.info.run_id, _trial_params(record))
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
        from mlflow.entities import Metric

        run = self._runs[record.trial.id]
        first = self._rungs_in(run)
        for row in record.rows[first:until]:
            values = {key: value for key, value in row.items() if key in METRICS}
            metrics = [
                Metric(key, value, row["recorded_ms"], row["step"])
                for key, value in values.items()
                if value == value  # a stage that is absent has no F1, and NaN cannot be drawn
            ]
            self._client.log_batch(run, metrics=metrics)
            name = f"confusions/rung_{row['rung']}.json"
            self._client.log_text(run, json.dumps(row["confusions"]), name)
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

    def _conclude(self, results: Mapping[str, float | str]) -> None:
        from mlflow.entities import Metric, RunTag

        now = int(1000 * time.time())
        numbers = {key: value for key, value in results.items() if not isinstance(value, str)}
        words = {key: value for key, value in results.items() if isinstance(value, str)}
        self._client.log_batch(
            self._parent,
            metrics=[Metric(key, value, now, 0) for key, value in numbers.items()],
            tags=[RunTag(key, value[:LONGEST]) for key, value in words.items()],
        )

    def _close_runs(self, status: str) -> None:
        for run in self._known_runs().values():
            if self._client.get_run(run).info.status == "RUNNING":
                self._client.set_terminated(run, "KILLED")
        self._client.set_terminated(self._parent, status)


def search_all(client: Any, experiment: str, query: str) -> list[Any]:
    """Return every run of an experiment that the `query` finds, page by page."""
    runs: list[Any] = []
    token = None
    while True:
        page = client.search_runs([experiment], query, page_token=token)
        runs += page
        token = page.token
        if not token:
            return runs


def _run_name(record: TrialRecord) -> str:
    names = " + ".join(member.name for member in record.trial.policy) or "none"
    return f"{record.order:03d} {names}"


def _trial_params(record: TrialRecord) -> dict[str, Any]:
    trial = record.trial
    params: dict[str, Any] = {
        "policy": trial.policy_text, "size": trial.size, "block": trial.block,
        "split": trial.split, "seed": trial.seed, "kind": record.kind, "design": record.design,
        "order": record.order,
    }  # fmt: skip
    for member in trial.policy:
        drawn = {} if member.severity is None else {"severity": member.severity}
        for key, value in {**drawn, **member.parameters, "p": member.p}.items():
            params[f"{key}.{member.name}"] = value
    parts = {"encoder": trial.encoder, "pretrain": trial.pretrain, "probe": trial.probe}
    return params | _flat({key: part.model_dump(mode="json") for key, part in parts.items()})


def _flat(tree: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{at}{key}.")
        else:
            flat[f"{at}{key}"] = value
    return flat


def _log_params(client: Any, run: str, params: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    entities = [Param(key, str(value)) for key, value in params.items()]
    for start in range(0, len(entities), 100):
        client.log_batch(run, params=entities[start : start + 100])
