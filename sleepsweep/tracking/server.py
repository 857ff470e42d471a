"""Where MLflow's record is kept: a server, or an SQLite file beside the results; and its pages."""

import logging
import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from sleepsweep.errors import UserError
from sleepsweep.spec.sections import TrackingSpec
from sleepsweep.tracking.views import VIEW

# MLflow's own patience with a server is of minutes. The check of a server has none, and the log's
# is the outbox's: a request that MLflow repeats by itself may be served twice, and make two runs.
HASTE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}

ARTIFACTS = "mlflow-artifacts"
"""The folder beside the SQLite file in which its runs' files are."""

SECRET = ("PASSWORD", "TOKEN", "SECRET", "CREDENTIAL")
"""What the names of environment variables have in them whose values are never printed."""


def database_uri(folder: Path) -> str:
    """The tracking URI of the SQLite file beside a sweep's results."""
    return f"sqlite:///{folder.resolve() / 'mlflow.db'}"


def ui_command(folder: Path, port: int) -> list[str]:
    """Return the command that serves MLflow's pages on a sweep's SQLite file, on loopback only."""
    store = ["--backend-store-uri", database_uri(folder)]
    address = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    return [sys.executable, "-m", "mlflow", "ui", *store, *address]


def ui_address(folder: Path, port: int) -> str:
    """Return the address of the sweep's runs table, sorted and with the columns that matter.

    Of an experiment, which is one run, that of the run. Raises `UserError` when the folder holds
    no SQLite file of MLflow's.
    """
    if not (folder / "mlflow.db").is_file():
        raise UserError(
            f"{folder}: no mlflow.db; what it holds was tracked elsewhere, or never ran."
        )
    client = connect(None, folder)
    pages = f"http://127.0.0.1:{port}/#/experiments"
    experiments = client.search_experiments(filter_string="name != 'Default'")
    if not experiments:
        return pages
    runs = f"{pages}/{experiments[0].experiment_id}/runs"
    alone = client.search_runs([experiments[0].experiment_id], "tags.kind = 'experiment'")
    return f"{runs}/{alone[0].info.run_id}" if alone else f"{runs}?viewStateShareKey={VIEW}"


def serve_ui(folder: Path, port: int) -> NoReturn:
    """Become the server of MLflow's pages, so that what ends this process ends the pages."""
    command = ui_command(folder, port)
    # Its workers for language models: eight more processes, 2 GB, which outlive it.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    os.execve(command[0], command, environment)


def check_server(uri: str | None, hint: str = "") -> None:
    """Raise `UserError` when there is a server's `uri` and it does not answer within seconds.

    The `hint` says what else can be done. A `uri` that holds a user name is refused as the YAML's
    is: it would be printed and stored.
    """
    if uri is None:
        return
    try:
        TrackingSpec(uri=uri)
    except ValidationError as error:
        raise UserError(f"--tracking-uri: {error.errors()[0]['ctx']['error']}.") from None
    patient = {name: os.environ.get(name) for name in HASTE}
    os.environ.update(HASTE)
    try:
        open_client(uri).search_experiments(max_results=1)
    except Exception as error:
        raise UserError(
            f"tracking.uri: {uri} does not answer; is it up? ({brief(error)}){hint}"
        ) from error
    finally:
        for name, value in patient.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def brief(error: Exception) -> str:
    """Return the first line of an error, without what must not be printed.

    Where it began with the network, the disk or the database, that is what is said of it.
    """
    cause: BaseException | None = error
    told: BaseException = error
    while cause is not None:
        told = cause if isinstance(cause, OSError | sqlite3.Error) else told
        cause = cause.__cause__ or cause.__context__
    lines = str(told).splitlines() or [type(told).__name__]
    line = re.sub(r"//[^/@\s]*@", "//***@", lines[0])
    for name, value in os.environ.items():
        if len(value) > 3 and any(word in name.upper() for word in SECRET):
            line = line.replace(value, "***")
    return line


def connect(uri: str | None, folder: Path) -> Any:
    """Return a client of the server at `uri`, or of the SQLite file in `folder`.

    From then on this process waits for no server longer than `HASTE`, unless the user says so.
    """
    for name, value in HASTE.items():
        os.environ.setdefault(name, value)
    if uri is None:
        _create_database(folder)
        _keep_artifacts_in(folder)
    return open_client(uri or database_uri(folder))


def open_client(uri: str) -> Any:
    """Return a client of the MLflow at `uri`."""
    return import_mlflow().MlflowClient(tracking_uri=uri)


def import_mlflow() -> Any:
    """Import MLflow, which takes seconds, and keep it from printing."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # It would print an address for each run that ends, between the lines of JSON.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    import mlflow

    # Of what goes wrong they would print a traceback; it is raised as well, and then told once.
    for noisy in ("alembic", "mlflow", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    return mlflow


def _create_database(folder: Path) -> None:
    # Under another name first: a kill while MLflow sets it up leaves a file that can never be used.
    final = folder.resolve() / "mlflow.db"
    if final.exists():
        return
    partial = final.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    open_client(f"sqlite:///{partial}").search_experiments(max_results=1)
    partial.replace(final)


def _keep_artifacts_in(folder: Path) -> None:
    """Let the database of a folder that was moved or copied name the artifacts that lie beside it.

    MLflow stores where they are from the root of the file system, and would go on writing there.
    """
    here = _artifacts_of(folder)
    with closing(sqlite3.connect(folder.resolve() / "mlflow.db")) as database, database:
        places = database.execute("SELECT DISTINCT artifact_location FROM experiments")
        for (place,) in places.fetchall():
            if place == here or not place.endswith(f"/{ARTIFACTS}"):
                continue
            database.execute(
                "UPDATE runs SET artifact_uri = ? || substr(artifact_uri, length(?) + 1) "
                "WHERE instr(artifact_uri, ? || '/') = 1", (here, place, place),
            )  # fmt: skip
            database.execute(
                "UPDATE experiments SET artifact_location = ? WHERE artifact_location = ?",
                (here, place),
            )


def _artifacts_of(folder: Path) -> str:
    return (folder.resolve() / ARTIFACTS).as_uri()


def experiment_id(client: Any, name: str, folder: Path | None) -> str:
    """Return the id of an experiment, made if it does not exist.

    With a `folder` its artifacts are kept there, and else where the server keeps them.
    """
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    own = None if folder is None else _artifacts_of(folder)
    # Without its kind MLflow opens the experiment on its pages for language models.
    tags = {"mlflow.experimentKind": "custom_model_development"}
    return str(client.create_experiment(name, artifact_location=own, tags=tags))
