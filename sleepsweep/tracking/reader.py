"""Reads a sweep's results back from MLflow: its tables, or, before they exist, its trials' runs."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sleepsweep.errors import UserError
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.table import build_table
from sleepsweep.results import ResultsTable, StudyInfo
from sleepsweep.tracking.runs import (
    METRICS,
    PARENT_TAG,
    RESULTS,
    STUDY,
    TABLES,
    confusions_file,
    tagged,
)
from sleepsweep.tracking.server import check_server, open_client
from sleepsweep.trial import TrialSpec

SQLITE = "sqlite:///"
NOT_LOGGED = {"bracket": 0, "host": "", "device": "", "version": "", "time_s": 0.0}
"""Columns of the table that a trial's run does not tell."""


def read_experiment(name: str, uri: str) -> ResultsTable:
    """Return the results of the newest sweep in the experiment `name` of the MLflow at `uri`.

    They are the tables that its launch left when it ended; of a launch that still runs, or was
    killed, they are made from the runs of its trials. Raises `UserError` when there is no such
    store or experiment, or no sweep in it.
    """
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE)).is_file():
        # MLflow would make the file, with an empty store in it.
        raise UserError(f"--tracking-uri: {uri.removeprefix(SQLITE)}: no such file.")
    check_server(uri)
    client = open_client(uri)
    runs = _sweeps(client, name)
    with TemporaryDirectory() as folder:
        for run in runs:
            held = {item.path for item in client.list_artifacts(run, RESULTS)}
            if {f"{RESULTS}/{table}" for table in TABLES} <= held:
                client.download_artifacts(run, RESULTS, folder)
                return ResultsTable.read(Path(folder) / RESULTS)
            if f"{RESULTS}/{STUDY}" in held:
                return _rebuilt(client, run, Path(folder))
    raise UserError(
        f"experiment {name}: its runs hold neither tables nor a study, so they were logged by an "
        "older sleepsweep or by something else. Give the sweep's folder instead, or launch the "
        "sweep again: what has run is logged then, and is not run again."
    )


def _sweeps(client: Any, name: str) -> list[str]:
    """The ids of the parent runs of an experiment, newest first."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        known = [found.name for found in client.search_experiments(max_results=20)]
        raise UserError(f"no experiment {name!r} in this MLflow. It has: {', '.join(known)}.")
    runs = client.search_runs(
        [experiment.experiment_id], "tags.kind = 'sweep'", order_by=["attributes.start_time DESC"]
    )
    if not runs:
        raise UserError(f"experiment {name}: holds no sweep of sleepsweep's.")
    return [str(run.info.run_id) for run in runs]


def _rebuilt(client: Any, parent: str, folder: Path) -> ResultsTable:
    described = _json(client, parent, f"{RESULTS}/{STUDY}", folder)
    study = StudyInfo.of_plain(described["study"])
    experiment = client.get_run(parent).info.experiment_id
    children = tagged(client, experiment, PARENT_TAG, parent)
    # By number: a server's tag may say anything, a path for example.
    records = [_record(client, run, folder / str(n)) for n, run in enumerate(children)]
    records.sort(key=lambda record: record.order)
    return build_table(records, study, described["provenance"])


def _record(client: Any, run: Any, folder: Path) -> TrialRecord:
    folder.mkdir()
    # As parameters an older sleepsweep logged what are tags now.
    tags = {**run.data.params, **run.data.tags}
    trial = TrialSpec.model_validate(_json(client, run.info.run_id, "trial.json", folder))
    rows = list(_rows(client, run.info.run_id, folder))
    ended = tags.get("decision", "running")
    if rows and ended != "failed":
        rows[-1]["decision"] = "continue" if ended == "running" else ended
    error = "its run says that it failed" if ended == "failed" else None
    order = int(tags["order"])
    return TrialRecord(order, tags["kind"], tags["design"], trial, rows=rows, error=error)


def _rows(client: Any, run: str, folder: Path) -> Iterator[dict[str, Any]]:
    """The rungs of a trial's run: what was measured at each step, and the confusions of it.

    A rung whose confusions are not there yet is still being logged.
    """
    steps: dict[int, dict[str, float]] = {}
    for metric in METRICS:
        for point in client.get_metric_history(run, metric):
            steps.setdefault(point.step, {})[metric] = point.value
    held = {item.path for item in client.list_artifacts(run, "confusions")}
    for rung, step in enumerate(sorted(steps)):
        name = confusions_file(rung)
        if name in held:
            confusions = _json(client, run, name, folder)
            yield {
                **NOT_LOGGED, "rung": rung, "step": step, "decision": "continue",
                "confusions": confusions, **steps[step],
            }  # fmt: skip


def _json(client: Any, run: str, name: str, folder: Path) -> Any:
    return json.loads(Path(client.download_artifacts(run, name, str(folder))).read_text())
