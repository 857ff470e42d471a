"""How a sweep and its trials are written as runs of MLflow: metrics, artifacts, batches.

The tracker writes and the reader reads by what stands here.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sleepsweep.systemmetrics import TIME, Sample

SWEEP_TAG, TRIAL_TAG, PARENT_TAG = "sleepsweep.sweep", "sleepsweep.trial", "mlflow.parentRunId"
"""Tags by which a sweep's run, a trial's run, and the runs below a sweep's run are found."""

LONGEST = 5000
"""Characters of a tag that every store of MLflow's takes."""

RESULTS, STUDY = "results", "study.json"
TABLES = ("trials.parquet", "subjects.parquet")
"""Files in the folder `RESULTS` of the parent run, beside `STUDY`."""

REPORT, KEY_RESULTS = "report", "key_results.json"
"""The folder of the report, in the sweep's and on the parent run, and a file in it."""

METRICS = ("macro_f1", "kappa", "accuracy", "f1.W", "f1.N1", "f1.N2", "f1.N3", "f1.R", "loss",
           "time_s")  # fmt: skip
"""The scores of a rung. MLflow's page that compares runs opens on the first."""

RUNGS_TAG, SAMPLES_TAG = "sleepsweep.rungs", "sleepsweep.samples"
"""How many rungs, and samples of the machine, a trial's run holds whole: set after what they count.

A run without the first was made, and no more.
"""

MOST_METRICS, MOST_PARAMS = 800, 100
"""What every store of MLflow's takes in one batch, with a few tags."""


def confusions_file(rung: int) -> str:
    """The artifact of a trial's run that holds the confusion matrices of a rung."""
    return f"confusions/rung_{rung}.json"


def rung_metrics(row: Mapping[str, Any]) -> list[Any]:
    """The scores of a rung as MLflow's metrics, at the time and the step at which they came."""
    # A stage that is absent has no F1.
    scores = {key: row[key] for key in METRICS if key in row}
    return metrics_of(scores, row["step"], row["recorded_ms"])


def metrics_of(values: Mapping[str, float], step: int, time_ms: int) -> list[Any]:
    """Values at a step as MLflow's metrics, but for what is no number."""
    from mlflow.entities import Metric

    return [Metric(key, value, time_ms, step) for key, value in values.items() if value == value]


def sample_metrics(sample: Sample, number: int) -> list[Any]:
    """A sample of the machine as MLflow's metrics; its number is their step."""
    values = {key: value for key, value in sample.items() if key != TIME}
    return metrics_of(values, number, int(sample[TIME]))


def log_results(client: Any, run: str, results: Mapping[str, float | str]) -> None:
    """Log what a sweep found on its run: numbers as metrics, words as tags.

    A number that the run holds already is not logged again, which would be a second point.
    """
    from mlflow.entities import Metric

    now = int(1000 * time.time())
    held = client.get_run(run).data.metrics
    numbers = {key: value for key, value in results.items() if not isinstance(value, str)}
    words = {key: value[:LONGEST] for key, value in results.items() if isinstance(value, str)}
    new = [Metric(key, value, now, 0) for key, value in numbers.items() if held.get(key) != value]
    log_batch(client, run, metrics=new, tags=words)


def log_batch(
    client: Any, run: str, *, metrics: Sequence[Any] = (), params: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Log in as few requests as every store of MLflow's takes; the tags come with the last one."""
    from mlflow.entities import Param, RunTag

    entities = [Param(key, str(value)) for key, value in (params or {}).items()]
    while len(entities) > MOST_PARAMS:
        client.log_batch(run, params=entities[:MOST_PARAMS])
        entities = entities[MOST_PARAMS:]
    while len(metrics) > MOST_METRICS:
        client.log_batch(run, metrics=metrics[:MOST_METRICS])
        metrics = metrics[MOST_METRICS:]
    named = [RunTag(key, value) for key, value in (tags or {}).items()]
    if metrics or entities or named:
        client.log_batch(run, metrics=metrics, params=entities, tags=named)


def tagged(client: Any, experiment: str, tag: str, value: str) -> list[Any]:
    """Return every run of an experiment whose `tag` is `value`."""
    query = f"tags.`{tag}` = '{value}'"
    runs: list[Any] = []
    token = None
    while True:
        page = client.search_runs([experiment], query, page_token=token)
        runs += page
        token = page.token
        if not token:
            return runs
