"""Logs an experiment in MLflow: one run, whose metrics are the checks and what the stages found.

Everything is sent on a thread of its own, and a server that fails delays nothing. What it has not
got half a minute after the end, it is without.
"""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sleepsweep.experiment.folder import ExperimentFolder, files_of
from sleepsweep.experiment.spec import Stage
from sleepsweep.experiment.stages import Found
from sleepsweep.tracking.names import flat
from sleepsweep.tracking.outbox import Outbox
from sleepsweep.tracking.runs import log_batch, metrics_of, tagged
from sleepsweep.tracking.server import brief, connect, experiment_id, import_mlflow

EXPERIMENT_TAG = "sleepsweep.experiment"
PATIENCE_S = 30.0


class ExperimentTracker:
    """Listens to the experiment of `folder` and logs it at `uri`; without one, in a file there."""

    def __init__(self, folder: ExperimentFolder, uri: str | None) -> None:
        # Here, and not on the thread: two threads that import at once may wait for one another.
        import_mlflow()
        self._folder, self._uri = folder, uri
        self._opened: tuple[Any, str] | None = None
        self._count = 0
        self._outbox = Outbox()
        self._put("the run", lambda client, run: None)

    def stage_started(self, stage: Stage) -> None:
        """See `sleepsweep.experiment.run.Listener`."""

    def stage_told(self, stage: Stage, step: int, values: Mapping[str, float]) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        named = {f"{stage}.{key}": value for key, value in values.items()}
        # Told twice after a failure, a metric of the same time and step is one point.
        metrics = metrics_of(named, step, _now_ms())
        self._put("a check", partial(log_batch, metrics=metrics))

    def stage_ended(self, stage: Stage, found: Found) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        numbers = {
            f"{stage}.{key}": value for key, value in found.items() if not isinstance(value, str)
        }
        words = {f"{stage}.{key}": value for key, value in found.items() if isinstance(value, str)}
        metrics = metrics_of(numbers, 0, _now_ms())
        self._put("what a stage found", partial(log_batch, metrics=metrics, tags=words))
        for path in files_of(self._folder.path, stage):
            self._put("a file", partial(_attach, path=path, below=self._folder.path))

    def close(self, *, complete: bool) -> str | None:
        """Close the run, wait a while for the log, and return a sentence on what is missing."""
        for name in ("index.html", "experiment.json"):
            # There is no page yet where the first stage was interrupted, or refused.
            if (path := self._folder.path / name).exists():
                self._put("a file", partial(_attach, path=path, below=self._folder.path))
        status = "FINISHED" if complete else "KILLED"
        self._put("the end", lambda client, run: client.set_terminated(run, status))
        left = self._outbox.close(PATIENCE_S, renewed=complete and self._uri is None)
        if not left:
            return None
        error = self._outbox.error
        why = brief(error) if error else f"{PATIENCE_S:.0f} s were not enough"
        return f"MLflow ({self._uri or 'its file'}) is still without {len(left)} entries: {why}"

    def _put(self, what: str, log: Any) -> None:
        self._count += 1

        def job() -> None:
            client, run = self._open()
            log(client, run)

        self._outbox.put(f"{what} ({self._count})", job)

    def _open(self) -> tuple[Any, str]:
        if self._opened is None:
            client = connect(self._uri, self._folder.path)
            self._opened = client, self._run(client)
        return self._opened

    def _run(self, client: Any) -> str:
        """The experiment's run, open again; a new one where its YAML is another by now.

        A parameter of MLflow's is never changed, and scores belong to the parameters beside them.
        """
        manifest = self._folder.read_manifest()
        spec, own = manifest["spec"], None if self._uri else self._folder.path
        experiment = experiment_id(client, spec["name"], own)
        params = _params(spec)
        for found in tagged(client, experiment, EXPERIMENT_TAG, manifest["id"]):
            held = found.data.params
            if all(held.get(key, value) == value for key, value in params.items()):
                run = str(found.info.run_id)
                client.update_run(run, status="RUNNING")
                break
        else:
            note = {"mlflow.note.content": spec["question"]} if spec["question"] else {}
            tags = {EXPERIMENT_TAG: manifest["id"], "kind": "experiment", **note}
            made = client.create_run(experiment, tags=tags, run_name=spec["name"])
            run, held = str(made.info.run_id), {}
        log_batch(client, run, params={k: v for k, v in params.items() if k not in held})
        return run


LONGEST_PARAM = 5000
# What changes no score.
NO_PARAMS = ("tracking", "stages", "device", "question")


def _params(spec: Mapping[str, Any]) -> dict[str, str]:
    """The YAML by dotted keys, as MLflow's parameters are."""
    told = {key: value for key, value in spec.items() if key not in NO_PARAMS}
    return {key: str(value)[:LONGEST_PARAM] for key, value in flat(told).items()}


def _attach(client: Any, run: str, *, path: Path, below: Path) -> None:
    at = str(path.parent.relative_to(below))
    client.log_artifact(run, str(path), None if at == "." else at)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
