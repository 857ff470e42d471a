"""The image as the Dockerfile makes it, and the services of compose.yaml in it, without Docker."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import pytest
from composed import SERVICES, Composed
from rehearsal import DOCKER, Image, build

from benchmarks.database import Database, programs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

# The official index of builds for the CPU is not needed to see that the steps do what they should.
ARGUMENTS: Mapping[str, str] = {"TORCH_INDEX": "", "VERSION": "0.1.1.dev5+gabc1234"}
SHORT = (
    "--trials 4 --set pretrain.steps=6 --set scheduler.grace_steps=3 --set search.baselines=false"
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder whose path is short, as paths of sockets are."""
    if os.getuid() != 0 or sys.base_prefix == "/usr" or not shutil.which("unshare"):
        pytest.skip("needs Linux, root, and a Python outside /usr, as the base image has")
    made = Path(tempfile.mkdtemp(prefix="im", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def image(folder: Path) -> Image:
    """The image, built step by step."""
    return build(folder / "built", ARGUMENTS)


def test_its_commands_run_as_its_user(image: Image) -> None:
    assert image.run(["sleepsweep", "--version"]) == f"sleepsweep {ARGUMENTS['VERSION']}\n"
    assert "launch" in image.run(image.command)
    assert image.run(image.health).startswith("sleepsweep ")
    assert "valid." in image.run(["sleepsweep", "check", "search_spaces/quickstart.yaml"])
    assert image.run(["id", "--user", "--name"]) == "sleepsweep\n"
    assert image.run(["bash", "-lc", "ray --version"]) == f"ray, version {version('ray')}\n"
    with pytest.raises(RuntimeError, match="Permission denied"):
        image.run(["touch", "/opt/sleepsweep/bin/sleepsweep"])


def test_it_holds_what_its_commands_need_and_no_more(image: Image) -> None:
    for module in ("psycopg", "flask_wtf", "tensorboard", "cmaes", "sleepsweep_analysis"):
        image.run(["python", "-c", f"import {module}"])
    assert not (image.root / "src").exists()
    assert {path.name for path in image.below(image.folder).iterdir()} == {
        "cache", "runs", "search_spaces"
    }  # fmt: skip


RUNS = """
import json
from mlflow import MlflowClient
client = MlflowClient("http://mlflow:5000")
found = client.search_runs([client.get_experiment_by_name("quickstart").experiment_id])
print(json.dumps([run.info.status for run in found]))
"""


def test_compose_runs_the_quickstart_on_two_workers(image: Image, folder: Path) -> None:
    if programs() is None or not shutil.which("ip"):
        pytest.skip("needs Debian's postgresql and iproute2")
    script = shutil.copy(DOCKER / "secrets.sh", folder)
    subprocess.run([script], check=True)
    secrets = {path.name: path.read_text() for path in (folder / "secrets").iterdir()}
    (folder / "pg").mkdir()
    services = Composed(image, folder, {"worker": 2})
    with services.network() as within:
        # In the place of the image of PostgreSQL.
        database = Database(folder / "pg", secrets["database_password"], 5432, within)
        try:
            database.start()
            for name in ("mlflow", "head", "worker"):
                services.start(name, within)
            launch = " ".join(SERVICES["quickstart"]["command"][-1:])
            short = launch.replace("quickstart.yaml", f"quickstart.yaml {SHORT}")
            said = run(services, within, ["sh", "-euc", short])
            assert "http://mlflow:5000" in said
            statuses = json.loads(run(services, within, ["python", "-c", RUNS]).splitlines()[-1])
            assert statuses == ["FINISHED"] * (4 + 1 + 1)
            assert_nowhere(secrets, said, folder)
        finally:
            database.stop()
    hosts = set(re.findall(r'"host": "([\w-]+)"', rungs(folder)))
    assert hosts == {"worker-1", "worker-2"}


def run(services: Composed, within: list[str], command: list[str]) -> str:
    line, told = services.line("quickstart", "quickstart", command)
    ended = subprocess.run([*within, *line], env=told, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def rungs(folder: Path) -> str:
    sweep = folder / "volumes" / "runs" / "quickstart"
    return "".join(path.read_text() for path in sweep.glob("trials/*/rungs.jsonl"))


def assert_nowhere(secrets: Mapping[str, str], said: str, folder: Path) -> None:
    """No secret in what was said, in the log of a service, in the sweep, in a list of processes."""
    texts = [said, *(path.read_text() for path in folder.glob("*.log"))]
    sweep = folder / "volumes" / "runs"
    held = [path.read_bytes() for path in sweep.rglob("*") if path.is_file()]
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    for name, secret in secrets.items():
        if name != "mlflow_credentials":  # which holds the administrator's
            assert not any(secret in text for text in texts), name
            assert not any(secret.encode() in data for data in (*held, *lines)), name
