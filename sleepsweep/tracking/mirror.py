"""MLflow's record of a sweep, brought up to what the sweep's folder holds.

Every call can be repeated, and asks MLflow for nothing that it has: after a failure, in a later
launch or by ``sleepsweep sync``, what is missing is filled in. What was sent is marked in MLflow
itself, by tags that are set after it.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import EXTENDED, SweepFolder
from sleepsweep.systemmetrics import read_samples
from sleepsweep.tracking.names import Pool, flat, objective_of, run_name, trial_params, trial_tags
from sleepsweep.tracking.runs import (
    PARENT_TAG,
    RESULTS,
    RUNGS_TAG,
    SAMPLES_TAG,
    STUDY,
    SWEEP_TAG,
    TRIAL_TAG,
    confusions_file,
    log_batch,
    log_results,
    rung_metrics,
    sample_metrics,
    tagged,
)
from sleepsweep.tracking.server import connect, experiment_id
from sleepsweep.tracking.views import VIEW_TAG, sweep_view

STATUS = {"done": "FINISHED", "stop": "FINISHED", "collapsed": "FINISHED", "failed": "FAILED"}


@dataclass
class _Held:
    """What MLflow holds of a trial."""

    run: str
    status: str
    decision: str = "running"
    rungs: int | None = None
    samples: int = 0

    @classmethod
    def of(cls, run: Any) -> Self:
        tags = run.data.tags
        rungs = int(tags[RUNGS_TAG]) if RUNGS_TAG in tags else None
        return cls(
            run.info.run_id, run.info.status, tags.get("decision", "running"), rungs,
            int(tags.get(SAMPLES_TAG, 0)),
        )  # fmt: skip


@dataclass
class _Opened:
    client: Any
    experiment: str
    parent: str
    trials: dict[str, _Held]


class Mirror:
    """Writes the sweep of `folder`, whose ``sweep.json`` is `manifest`, to the MLflow at `uri`.

    Without a `uri` that is a file in the folder. Connects when it is first used. Once `over` is
    set, a trial that has not ended counts as killed.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any], uri: str | None) -> None:
        self._folder = SweepFolder(folder)
        self._manifest = manifest
        self._uri = uri
        self._pool = Pool.of(manifest)
        self._opened: _Opened | None = None
        self.over = False

    def open(self) -> None:
        """Connect; open the sweep's run, or open it again, and describe the sweep in it."""
        with self._session():
            pass

    def trial(self, record: TrialRecord) -> None:
        """Bring a trial's run up to its `record`: artifacts first, then one batch, then status."""
        with self._session() as opened:
            held = opened.trials.get(record.trial.id) or self._create(opened, record)
            self._fill(opened.client, held, record)
            status = STATUS.get(record.state, "KILLED" if self.over else "RUNNING")
            if status != held.status:
                _set_status(opened.client, held.run, status, record)
                held.status = status

    def attach(self, path: Path, at: str) -> None:
        """Attach a file to the sweep's run, in the folder `at` of its artifacts."""
        with self._session() as opened:
            opened.client.log_artifact(opened.parent, str(path), at)

    def conclude(self, results: Mapping[str, float | str]) -> None:
        """Record what the sweep found on its run: numbers as metrics, words as tags."""
        with self._session() as opened:
            log_results(opened.client, opened.parent, results)

    def look_again(self) -> None:
        """Read anew what MLflow holds, and leave one run of each trial."""
        self._opened = None
        self.open()

    def end(self, status: str) -> None:
        """Close the sweep's run."""
        with self._session() as opened:
            opened.client.set_terminated(opened.parent, status)

    @contextmanager
    def _session(self) -> Iterator[_Opened]:
        """What is open. After a failure it is opened anew.

        A server that failed may have done what it was asked all the same, or have lost the rest.
        """
        try:
            if self._opened is None:
                self._opened = self._open()
            yield self._opened
        except Exception:
            self._opened = None
            raise

    def _open(self) -> _Opened:
        client = connect(self._uri, self._folder.path)
        name = self._manifest["spec"]["name"]
        experiment = experiment_id(client, name, None if self._uri else self._folder.path)
        parent = self._parent(client, experiment)
        self._describe(client, experiment, parent)
        return _Opened(client, experiment, parent, _trials(client, experiment, parent))

    def _parent(self, client: Any, experiment: str) -> str:
        """The sweep's run, made where there is none.

        A request to make it may have been served after it was given up: then there are two, and
        the one without trials goes.
        """
        sweep = self._manifest["id"]
        found = [run.info.run_id for run in tagged(client, experiment, SWEEP_TAG, sweep)]
        if not found:
            run = client.create_run(
                experiment, tags={SWEEP_TAG: sweep, "kind": "sweep"},
                run_name=self._manifest["spec"]["name"], start_time=_created_ms(self._manifest),
            )  # fmt: skip
            return str(run.info.run_id)
        if len(found) > 1:
            found.sort(key=lambda run: -len(tagged(client, experiment, PARENT_TAG, run)))
            for superfluous in found[1:]:
                client.delete_run(superfluous)
        if not self.over:
            client.update_run(found[0], status="RUNNING")
        return str(found[0])

    def _describe(self, client: Any, experiment: str, parent: str) -> None:
        """Record what the sweep is about, so that its results can be read while it runs."""
        said = {key: self._manifest[key] for key in ("study", "provenance")}
        client.log_text(parent, json.dumps(said, indent=1), f"{RESULTS}/{STUDY}")
        question = self._manifest["spec"]["question"]
        note = {"mlflow.note.content": question} if question else {}
        params = flat(self._manifest["spec"])
        if EXTENDED in self._manifest:
            # A parameter of MLflow's is never changed: it stays what was launched.
            note["trials"] = str(params["search.trials"])
            params["search.trials"] = self._manifest[EXTENDED][0]["from"]
        log_batch(client, parent, params=params, tags=note)
        view = sweep_view(objective_of(self._manifest), self._pool)
        client.set_experiment_tag(experiment, VIEW_TAG, json.dumps(view))

    def _create(self, opened: _Opened, record: TrialRecord) -> _Held:
        tags = {PARENT_TAG: opened.parent, TRIAL_TAG: record.trial.id}
        run = opened.client.create_run(
            opened.experiment, tags=tags | trial_tags(record, self._pool),
            run_name=run_name(record), start_time=_started_ms(record),
        )  # fmt: skip
        held = _Held(run.info.run_id, run.info.status)
        opened.trials[record.trial.id] = held
        return held

    def _fill(self, client: Any, held: _Held, record: TrialRecord) -> None:
        samples = read_samples(self._folder.trial(record.trial.id).samples)
        # A trial that was run anew, as its files were lost, has fewer of them than MLflow at first.
        rungs, many = max(held.rungs or 0, len(record.rows)), max(held.samples, len(samples))
        if (record.state, rungs, many) == (held.decision, held.rungs, held.samples):
            return
        params: dict[str, Any] = {}
        if held.rungs is None:
            spec = record.trial.model_dump(mode="json")
            client.log_text(held.run, json.dumps(spec, indent=1), "trial.json")
            params = trial_params(record, self._pool)
        if record.error:
            client.log_text(held.run, record.error, "error.txt")
        metrics = []
        for row in record.rows[held.rungs or 0 :]:
            client.log_text(held.run, json.dumps(row["confusions"]), confusions_file(row["rung"]))
            metrics += rung_metrics(row)
        for number in range(held.samples, many):
            metrics += sample_metrics(samples[number], number)
        tags = {RUNGS_TAG: str(rungs), SAMPLES_TAG: str(many), "decision": record.state}
        log_batch(client, held.run, metrics=metrics, params=params, tags=tags)
        held.decision, held.rungs, held.samples = record.state, rungs, many


def _trials(client: Any, experiment: str, parent: str) -> dict[str, _Held]:
    """What MLflow holds of the trials; of two runs of one, the one that holds less goes."""
    found: dict[str, _Held] = {}
    for run in tagged(client, experiment, PARENT_TAG, parent):
        trial, held = run.data.tags[TRIAL_TAG], _Held.of(run)
        if trial in found:
            held, superfluous = sorted(
                (held, found[trial]), key=lambda one: -1 if one.rungs is None else one.rungs,
                reverse=True,
            )  # fmt: skip
            client.delete_run(superfluous.run)
        found[trial] = held
    return found


def _set_status(client: Any, run: str, status: str, record: TrialRecord) -> None:
    if status == "RUNNING":
        client.update_run(run, status)
    else:
        client.set_terminated(run, status, _ended_ms(record))


def _created_ms(manifest: Mapping[str, Any]) -> int:
    return int(1000 * datetime.fromisoformat(manifest["study"]["created"]).timestamp())


def _started_ms(record: TrialRecord) -> int:
    # What is sent later ran when it ran.
    if record.rows:
        return int(record.rows[0]["recorded_ms"] - 1000 * record.rows[0]["time_s"])
    return _now_ms()


def _ended_ms(record: TrialRecord) -> int:
    return int(record.rows[-1]["recorded_ms"]) if record.rows else _now_ms()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
