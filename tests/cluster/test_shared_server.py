"""A sweep of two Ray nodes, recorded by a shared MLflow server that is killed in between.

The server is the one that ``docs/mlflow-server.md`` documents: PostgreSQL, users with passwords,
artifacts served. The nodes are on this host, each with a host name of its own.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
import yaml

from benchmarks.database import Database, programs
from benchmarks.server import Server, free_port, logged
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.tracking.runs import SWEEP_TAG, tagged
from sleepsweep.tracking.server import open_client

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
TRIALS = 50
TREE: dict[str, Any] = {
    "name": "shared",
    "data": {"simulated": {"subjects": 5}},
    "split": {"blocks": 1, "test": 0.2, "validation": 0.25},
    "encoder": {"latent_dim": 16},
    # Long enough for a process to start on the other node while one of them runs on the first.
    "pretrain": {"batch_size": 32, "steps": 4},
    "probe": {"epochs_per_subject": 40},
    "augmentations": {
        "size": [0, 2],
        "pool": {
            "RandomDCShift": {"severity": {"uniform": [0.1, 1.0]}},
            "SignFlip": {"p": {"uniform": [0.3, 1.0]}},
        },
    },
    "search": {"trials": TRIALS - 1, "designs": ["none"], "baselines": False},
    "scheduler": {"name": "none", "grace_steps": 2, "factor": 2},
}
# Whoever shares the server: a user who may write what is his own, and who is no administrator.
USER = "researcher"


class SharedServer(Server):
    """The documented server, on the database at `database` (``user@host:port/name``)."""

    def __init__(self, folder: Path, database: str) -> None:
        super().__init__(folder)
        self._database = database

    def command(self) -> list[str]:
        script = str(ROOT / "docker" / "mlflow-server.sh")
        return [script, "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]

    def environment(self) -> dict[str, str]:
        own = {"HOME": str(self.folder), "SECRETS": str(self.folder / "secrets"),
               "DATABASE": self._database, "ARTIFACTS": str(self.folder / "artifacts"),
               "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}  # fmt: skip
        return {**os.environ, **own}


@contextmanager
def ended_after(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a session of its own, which is asked to end after the block."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, start_new_session=True, **{**quiet, **options})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder whose path is short, as paths of sockets are, and which everybody may enter."""
    made = Path(tempfile.mkdtemp(prefix="ss", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def passwords(folder: Path) -> dict[str, str]:
    """The server's secrets, as files; a password may hold what files of passwords set apart."""
    held = folder / "secrets"
    held.mkdir(mode=0o700)
    made = {name: secrets.token_hex(16) for name in ("mlflow_session_key", USER)}
    made |= {
        name: rf"a:b\c%d'{secrets.token_hex(8)}"
        for name in ("database_password", "mlflow_admin_password")
    }
    for name, secret in made.items():
        (held / name).write_text(f"{secret}\n")
        (held / name).chmod(0o600)
    return made


@pytest.fixture(scope="module")
def database(folder: Path, passwords: dict[str, str]) -> Iterator[str]:
    """A PostgreSQL of its own on loopback, with a password; yields ``user@host:port/name``."""
    if programs() is None or os.getuid() != 0 or find_spec("psycopg") is None:
        pytest.skip("needs root, Debian's postgresql, and pip install 'sleepsweep[server]'")
    (folder / "pg").mkdir()
    made = Database(folder / "pg", passwords["database_password"], free_port())
    try:
        made.start()
        yield made.address
    finally:
        made.stop()


@pytest.fixture(scope="module")
def begun(folder: Path, passwords: dict[str, str], database: str) -> Iterator[SharedServer]:
    """The shared MLflow server, which answers some time later."""
    made = SharedServer(folder, database)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def server(
    begun: SharedServer, cluster: tuple[str, dict[str, str]], passwords: dict[str, str]
) -> Iterator[SharedServer]:
    """The server when it answers, with a user; this process is that user to it."""
    begun.wait()
    _add_user(begun.uri, passwords)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_USERNAME", USER)
        environment.setenv("MLFLOW_TRACKING_PASSWORD", passwords[USER])
        yield begun


def _add_user(uri: str, passwords: dict[str, str]) -> None:
    admin = ("admin", passwords["mlflow_admin_password"])
    user = {"username": USER, "password": passwords[USER]}
    answer = requests.post(f"{uri}/api/2.0/mlflow/users/create", json=user, auth=admin, timeout=60)
    answer.raise_for_status()


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A Ray of two nodes that asks for a token; yields its address and how to be let in."""
    token = folder / "token"
    token.write_text(secrets.token_hex(32))
    token.chmod(0o600)
    let_in = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    environment = {**os.environ, **let_in, "RAY_USAGE_STATS_ENABLED": "0",
                   "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"}  # fmt: skip
    address = f"127.0.0.1:{free_port()}"
    common = [
        str(Path(sys.executable).parent / "ray"), "start", "--block", "--num-cpus=1",
        "--object-store-memory=100000000", "--node-ip-address=127.0.0.1",
        f"--temp-dir={folder / 'ray'}",
    ]  # fmt: skip
    head = ["--head", f"--port={address.rpartition(':')[2]}", "--include-dashboard=false",
            f"--ray-client-server-port={free_port()}"]  # fmt: skip
    with ExitStack() as nodes:
        for name, own in (("one", head), ("two", [f"--address={address}"])):
            line = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name]
            nodes.enter_context(ended_after([*line, *common, *own], env=environment))
            _wait_for_head(int(address.rpartition(":")[2]))
        _wait_for_both(address, environment)
        yield address, let_in


def _wait_for_head(port: int) -> None:
    until = time.monotonic() + 90
    with socket.socket() as knocking:
        while knocking.connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < until, "Ray's head did not start"
            time.sleep(0.2)


def _wait_for_both(address: str, environment: dict[str, str]) -> None:
    code = (
        "import sys, time, ray\n"
        "ray.init(address=sys.argv[1], log_to_driver=False, logging_level=50)\n"
        "while sum(node['Alive'] for node in ray.nodes()) < 2: time.sleep(0.2)"
    )
    command = [sys.executable, "-c", code, address]
    subprocess.run(command, env=environment, capture_output=True, timeout=90, check=True)


@pytest.fixture(scope="module")
def launched(
    folder: Path, server: SharedServer, cluster: tuple[str, dict[str, str]]
) -> tuple[SweepFolder, subprocess.CompletedProcess[str]]:
    """A sweep on the cluster, during which the server is killed and started again."""
    address, let_in = cluster
    space, out = folder / "shared.yaml", SweepFolder(folder / "sweep")
    space.write_text(yaml.safe_dump(TREE))
    line = [sys.executable, "-m", "sleepsweep", "launch", str(space), "--out", str(out.path),
            "--cluster", address, "--tracking-uri", server.uri, "--json"]  # fmt: skip
    launch = subprocess.Popen(line, env={**os.environ, **let_in}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert launch.stdout is not None
    said = []
    for number, row in enumerate(launch.stdout):
        said.append(row)
        if number == TRIALS // 2:
            server.stop()
        if number == TRIALS:
            server.start()
    _, errors = launch.communicate(timeout=300)
    server.wait()
    return out, subprocess.CompletedProcess(line, launch.returncode, "".join(said), errors)


def test_the_sweep_is_complete_and_its_trials_ran_on_both_nodes(launched: Any) -> None:
    sweep, ended = launched
    assert ended.returncode == 0, ended.stderr
    table = pd.read_parquet(sweep.path / "trials.parquet")
    assert table["trial"].nunique() == TRIALS
    assert set(table["host"]) == {"one", "two"}


def test_every_rung_of_every_trial_is_logged_once_and_no_run_is_left_open(
    launched: Any, server: SharedServer
) -> None:
    sweep, ended = launched
    if "sleepsweep sync" in ended.stderr:
        # How long the server takes to start is the machine's affair: the rest is sent as it says.
        again = [sys.executable, "-m", "sleepsweep", "sync", str(sweep.path)]
        subprocess.run([*again, "--tracking-uri", server.uri], check=True)
    identity = sweep.read_manifest()["id"]
    records = sweep.records()
    assert sum(len(record.rows) for record in records) == 2 * TRIALS
    assert logged(server.uri, identity) == {
        record.trial.id: ("FINISHED", [row["step"] for row in record.rows]) for record in records
    }
    client = open_client(server.uri)
    experiment = client.get_experiment_by_name("shared")
    parents = tagged(client, experiment.experiment_id, SWEEP_TAG, identity)
    assert [parent.info.status for parent in parents] == ["FINISHED"]
    artifacts = {item.path for item in client.list_artifacts(parents[0].info.run_id, "report")}
    assert "report/index.html" in artifacts


def test_nobody_reads_or_writes_without_a_password(
    launched: Any, server: SharedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.exceptions import MlflowException

    for password in (None, "wrong"):
        if password is None:
            monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
        else:
            monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
        with pytest.raises(MlflowException, match=r"401|not authenticated"):
            open_client(server.uri).search_experiments()
