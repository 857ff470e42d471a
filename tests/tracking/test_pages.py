import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.server import free_port
from sleepsweep.plan import Plan
from sleepsweep.tracking import Tracker

PATIENCE_S = 120.0


@pytest.mark.slow
def test_what_ends_the_command_ends_the_pages(plan: Plan, tmp_path: Path) -> None:
    Tracker(tmp_path, {"id": "sweep-id", **plan.manifest()}, None).close(complete=True)
    port = free_port()
    words = [sys.executable, "-m", "sleepsweep", "ui", tmp_path, "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as served:
        wait_until_served(port, True)
        served.terminate()
        wait_until_served(port, False)


def wait_until_served(port: int, wanted: bool) -> None:
    until = time.monotonic() + PATIENCE_S
    while _answers(port) is not wanted:
        assert time.monotonic() < until
        time.sleep(0.2)


def _answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0
