"""How a sweep and its trials are written as runs of MLflow: names, parameters, metrics, artifacts.

The tracker writes and the reader reads by what stands here.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from sleepsweep.sweepfolder import TrialRecord

TRIAL_TAG = "sleepsweep.trial"

LONGEST = 5000
"""Characters of a tag that every store of MLflow's takes."""

RESULTS, STUDY = "results", "study.json"
TABLES = ("trials.parquet", "subjects.parquet")
"""Files in the folder `RESULTS` of the parent run, beside `STUDY`."""

METRICS = ("accuracy", "macro_f1", "kappa", "f1.W", "f1.N1", "f1.N2", "f1.N3", "f1.R", "loss",
           "time_s")  # fmt: skip


def confusions_file(rung: int) -> str:
    """The artifact of a trial's run that holds the confusion matrices of a rung."""
    return f"confusions/rung_{rung}.json"


def log_rung(client: Any, run: str, row: Mapping[str, Any]) -> None:
    """Log one rung of a trial: its scores at its step, and its confusion matrices."""
    from mlflow.entities import Metric

    values = {key: value for key, value in row.items() if key in METRICS}
    metrics = [
        Metric(key, value, row["recorded_ms"], row["step"])
        for key, value in values.items()
        if value == value  # a stage that is absent has no F1, and NaN cannot be drawn
    ]
    client.log_batch(run, metrics=metrics)
    client.log_text(run, json.dumps(row["confusions"]), confusions_file(row["rung"]))


def log_results(client: Any, run: str, results: Mapping[str, float | str]) -> None:
    """Log what a sweep found on its run: numbers as metrics, words as tags."""
    from mlflow.entities import Metric, RunTag

    now = int(1000 * time.time())
    numbers = {key: value for key, value in results.items() if not isinstance(value, str)}
    words = {key: value for key, value in results.items() if isinstance(value, str)}
    client.log_batch(
        run,
        metrics=[Metric(key, value, now, 0) for key, value in numbers.items()],
        tags=[RunTag(key, value[:LONGEST]) for key, value in words.items()],
    )


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


def run_name(record: TrialRecord) -> str:
    """The name of a trial's run: its place in the order, and its augmentations."""
    names = " + ".join(member.name for member in record.trial.policy) or "none"
    return f"{record.order:03d} {names}"


def trial_params(record: TrialRecord) -> dict[str, Any]:
    """The parameters of a trial's run: where it stands, its policy, its parts."""
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
    return params | flat({key: part.model_dump(mode="json") for key, part in parts.items()})


def flat(tree: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """The values of a tree by their path, as MLflow's parameters are named."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, f"{at}{key}.")
        else:
            found[f"{at}{key}"] = value
    return found


def log_params(client: Any, run: str, params: Mapping[str, Any]) -> None:
    """Log parameters, as many at once as every store of MLflow's takes."""
    from mlflow.entities import Param

    entities = [Param(key, str(value)) for key, value in params.items()]
    for start in range(0, len(entities), 100):
        client.log_batch(run, params=entities[start : start + 100])
