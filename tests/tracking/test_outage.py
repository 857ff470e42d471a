"""Tracking servers that fail: nothing is lost, nothing is there twice, and the sweep goes on."""

import http.client
import http.server
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import observed
from benchmarks.engine import space
from benchmarks.server import Server, logged
from benchmarks.tracking import Outage, measure, send_the_rest
from sleepsweep.errors import UserError
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan, make_plan
from sleepsweep.tracking import Tracker, check_server, database_uri, outbox, server

TRIALS, RUNG_S = 8, 0.3


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An MLflow server, on loopback, on a free port."""
    running = Server(tmp_path_factory.mktemp("server"))
    running.start()
    running.wait()
    yield running
    running.stop()


class Gateway:
    """Stands before a server, and lets it seem to fail: `mode` is pass, error, hang or lose.

    ``lose`` has the server do what it is asked, and keeps the answer to itself.
    """

    def __init__(self, port: int) -> None:
        self.mode = "pass"
        self.asked = 0
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                gateway.asked += 1
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if gateway.mode == "hang":
                    time.sleep(5)
                    self.close_connection = True
                elif gateway.mode == "error":
                    self.send_error(500)
                else:
                    self._forward(body)

            def _forward(self, body: bytes) -> None:
                behind = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                headers = {key: value for key, value in self.headers.items() if key != "Host"}
                behind.request(self.command, self.path, body, headers)
                answer = behind.getresponse()
                content = answer.read()
                if gateway.mode == "lose":
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for key in ("Content-Type", "Location"):
                    if answer.headers.get(key):
                        self.send_header(key, answer.headers[key])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *arguments: object) -> None:
                """Nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second's patience with a server, as the environment says nothing else."""
    monkeypatch.setitem(server.HASTE, "MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    for name in server.HASTE:
        os.environ.pop(name, None)
    yield
    for name in server.HASTE:
        os.environ.pop(name, None)


@pytest.fixture
def gateway(mlflow_server: Server, impatient: None) -> Iterator[Gateway]:
    opened = Gateway(mlflow_server.port)
    yield opened
    opened.close()


@pytest.fixture
def begun(plan: Plan, tmp_path: Path) -> SweepFolder:
    """The folder of a sweep that begins."""
    folder = SweepFolder(tmp_path / "sweep")
    folder.begin(plan.manifest(), fresh=False)
    return folder


def run(plan: Plan, folder: SweepFolder, tracker: Tracker, during: Any = None) -> float:
    """Run a sweep of made-up trials; return the share of its time that the `tracker` took.

    `during` is called with the number of rungs so far."""
    records = observed.made_up_trials(plan, TRIALS)

    class During:
        rungs = 0

        def trial_started(self, record: object) -> None:
            """Nothing."""

        def rung_reported(self, record: object, row: object) -> None:
            self.rungs += 1
            if during is not None:
                during(self.rungs)

    timed, began = observed.Timed([tracker]), time.monotonic()
    observed.run(records, [folder, timed, During()], RUNG_S)
    return sum(timed.calls_s) / (time.monotonic() - began)


def whole(folder: SweepFolder) -> dict[str, tuple[str, list[int]]]:
    """What a server holds when nothing was lost: what stands in the sweep's folder."""
    records = folder.records()
    assert len(records) == TRIALS
    return {r.trial.id: ("FINISHED", [row["step"] for row in r.rows]) for r in records}


def held(uri: str, folder: SweepFolder) -> dict[str, tuple[str, list[int]]]:
    return logged(uri, folder.read_manifest()["id"])


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["error", "hang", "lose"])
def test_what_a_failing_server_misses_it_gets_when_it_answers_again(
    plan: Plan, begun: SweepFolder, gateway: Gateway, mlflow_server: Server, mode: str
) -> None:
    def during(rungs: int) -> None:
        if rungs in (6, 20):
            gateway.mode = mode if rungs == 6 else "pass"

    tracker = Tracker(begun.path, begun.read_manifest(), gateway.uri)
    run(plan, begun, tracker, during)
    assert tracker.close(complete=True, patience_s=120) is None
    assert held(mlflow_server.uri, begun) == whole(begun)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["error", "hang"])
def test_a_server_that_fails_to_the_end_is_given_up_and_told_later(
    plan: Plan, begun: SweepFolder, gateway: Gateway, mlflow_server: Server, mode: str
) -> None:
    gateway.mode = mode
    tracker = Tracker(begun.path, begun.read_manifest(), gateway.uri)
    share = run(plan, begun, tracker)
    # The driver waited for none of it: each call only noted what there is to send.
    assert share < 0.2
    started = time.monotonic()
    missing = tracker.close(complete=True, patience_s=2)
    assert time.monotonic() - started < 15
    assert missing is not None
    assert f"is still without {TRIALS} of {TRIALS} trials" in missing
    assert held(mlflow_server.uri, begun) == {}
    asked = gateway.asked
    assert asked < 40  # it was not asked without a pause
    gateway.mode = "pass"
    for _ in range(2):  # a second time changes nothing
        again = Tracker(begun.path, begun.read_manifest(), gateway.uri)
        again.catch_up(begun.records())
        assert again.close(complete=True, patience_s=60, renewed=True) is None
        assert held(mlflow_server.uri, begun) == whole(begun)


def test_a_hanging_server_is_refused_at_the_start(impatient: None) -> None:
    nobody = Gateway(0)
    nobody.mode = "hang"
    with pytest.raises(UserError, match=r"does not answer; is it up\? .* Or else"):
        check_server(nobody.uri, hint=" Or else.")
    nobody.close()
    assert not set(server.HASTE) & set(os.environ)  # a reader may be patient afterwards
    with pytest.raises(UserError, match="MLFLOW_TRACKING_USERNAME") as refused:
        check_server("http://me:hidden@127.0.0.1:1")
    assert "hidden" not in str(refused.value)


def test_a_full_disk_under_the_file_loses_nothing(
    plan: Plan, begun: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = Tracker(begun.path, begun.read_manifest(), None)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr(outbox, "LONGEST_PAUSE_S", 1.0)

    def during(rungs: int) -> None:
        database = begun.path / "mlflow.db"
        if rungs == 6:
            deadline = time.monotonic() + 60
            while not database.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            # No file may grow beyond what the database has: a write to it fails as on a full disk.
            resource.setrlimit(resource.RLIMIT_FSIZE, (database.stat().st_size, hard))
        if rungs == 26:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    try:
        run(plan, begun, tracker, during)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert tracker.close(complete=True, patience_s=60) is None
    assert tracker._outbox.error is not None  # it did fail
    assert held(database_uri(begun.path), begun) == whole(begun)


LAUNCH = """
import sys
from pathlib import Path
from benchmarks import observed
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import make_plan
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.tracking import Tracker

plan = make_plan(SweepSpec.model_validate(observed.SPACE))
folder = SweepFolder(Path(sys.argv[1]))
folder.begin(plan.manifest(), fresh=False)
known = folder.records()
tracker = Tracker(folder.path, folder.read_manifest(), None)
tracker.catch_up(known)
left = observed.made_up_trials(plan, 200)[len(known):]
print("begun", flush=True)
observed.run(left, [folder, tracker], 0.2)
"""


@pytest.mark.slow
def test_launches_killed_at_any_moment_leave_one_run_a_trial(
    command_line: Any, tmp_path: Path
) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    for seconds in (1.0, 6.0, 0.3, 3.1, 4.2, 8.0):
        command = [sys.executable, "-c", LAUNCH, str(folder.path)]
        launch = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert launch.stdout is not None
        launch.stdout.readline()
        time.sleep(seconds)
        launch.kill()
        launch.communicate()
    ended = command_line("sync", folder.path)
    assert ended.returncode == 0, ended.stderr
    records = folder.records()
    assert len(records) > TRIALS
    assert held(database_uri(folder.path), folder) == {
        record.trial.id: (
            "FINISHED" if record.is_finished else "KILLED", [row["step"] for row in record.rows]
        )
        for record in records
    }  # fmt: skip


@pytest.mark.slow
def test_a_server_that_is_stopped_and_started_again_misses_nothing(tmp_path: Path) -> None:
    restarted = Server(tmp_path)
    restarted.start()
    restarted.wait()
    try:
        with Outage(restarted, at_s=25, lasts_s=15).running():
            ran = measure(make_plan(space(24, 4)), tmp_path / "sweep", 1.0, restarted)
        # How long the server takes to start is the machine's affair.
        assert ran.unsent is None or send_the_rest(ran.sweep, restarted) is None
        found = held(restarted.uri, ran.sweep)
    finally:
        restarted.stop()
    assert found == {
        record.trial.id: ("FINISHED", [row["step"] for row in record.rows])
        for record in ran.sweep.records()
    }
    assert len(found) == 24
    # What the log took of the driver; the sweep may be 5 % slower.
    assert sum(ran.calls_s) < 0.05 * ran.wall_s
