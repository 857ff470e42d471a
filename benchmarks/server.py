"""An MLflow server to be tracked by, and to be ended and started again."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from sleepsweep.tracking.runs import PARENT_TAG, SWEEP_TAG, TRIAL_TAG, tagged
from sleepsweep.tracking.server import open_client


class Server:
    """An MLflow server on loopback that keeps its record in a folder, on one port all its life."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again; it answers seconds later."""
        self._process = subprocess.Popen(
            self.command(), cwd=self.folder, env=self.environment(), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def command(self) -> list[str]:
        """The command that is the server."""
        return [
            sys.executable, "-m", "mlflow", "server",
            "--backend-store-uri", f"sqlite:///{self.folder / 'server.db'}",
            "--artifacts-destination", str(self.folder / "artifacts"),
            "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The environment of that command."""
        return dict(os.environ)

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 120
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError("the MLflow server did not start")
            time.sleep(0.2)

    def stop(self) -> None:
        """End it and its workers at once, as a crash would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def free_port() -> int:
    """A port of loopback at which nobody listens now.

    It is none of those from 32768 on, one of which the kernel may give to a connection meanwhile.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


def logged(uri: str, sweep: str) -> dict[str, tuple[str, list[int]]]:
    """The status of each trial's run at `uri`, and the steps of its points of macro-F1.

    A trial with two runs, or a sweep with two, is an error.
    """
    client, found = open_client(uri), dict[str, tuple[str, list[int]]]()
    for experiment in client.search_experiments():
        for parent in tagged(client, experiment.experiment_id, SWEEP_TAG, sweep):
            children = tagged(client, experiment.experiment_id, PARENT_TAG, parent.info.run_id)
            for run in children:
                trial = run.data.tags[TRIAL_TAG]
                if trial in found:
                    raise RuntimeError(f"trial {trial} has two runs")
                points = client.get_metric_history(run.info.run_id, "macro_f1")
                found[trial] = run.info.status, [point.step for point in points]
    return found
