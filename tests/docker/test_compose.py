"""compose.yaml: valid, closed to the network, and no secret in it."""

import json
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from sleepsweep.cli import app

DOCKER = Path(__file__).parents[2] / "docker"
PATH = DOCKER / "compose.yaml"
TREE: dict[str, Any] = yaml.safe_load(PATH.read_text())
SERVICES: dict[str, dict[str, Any]] = TREE["services"]


def resolved(path: Path) -> dict[str, Any]:
    """What docker compose makes of a file; empty where it refuses that."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version"], capture_output=True, text=True)
            if asked.returncode == 0 and re.search(r"v(?!1\.)\d+\.", asked.stdout):
                line = [*command, "-f", str(path), "config", "--format", "json"]
                done = subprocess.run(line, capture_output=True, text=True)
                return dict(json.loads(done.stdout or "{}"))
    pytest.skip("docker compose, of version 2 or later, is not installed")


def test_compose_finds_it_valid_and_resolves_every_reference() -> None:
    assert set(resolved(PATH)["services"]) == set(SERVICES)


@pytest.mark.parametrize(
    ("right", "wrong"), [("networks: [sweep]", "networks: [swep]"), ("init: true", "inti: true")]
)
def test_compose_refuses_a_mistake(tmp_path: Path, right: str, wrong: str) -> None:
    """Or the test above would say nothing."""
    mistaken = tmp_path / "compose.yaml"
    mistaken.write_text(PATH.read_text().replace(right, wrong))
    assert resolved(mistaken) == {}


def test_only_mlflow_is_published_and_on_loopback_only() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"mlflow": ["127.0.0.1:5000:5000"]}
    assert not any("network_mode" in service for service in SERVICES.values())


def test_only_mlflow_reaches_the_database() -> None:
    assert TREE["networks"]["database"] == {"internal": True}
    on = {name for name, service in SERVICES.items() if "database" in service["networks"]}
    assert on == {"database", "mlflow"}


def test_secrets_are_files_and_stand_in_no_environment_or_command() -> None:
    assert all(
        list(secret) == ["file"] and secret["file"] == f"secrets/{name}"
        for name, secret in TREE["secrets"].items()
    )
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|SECRET|KEY", key):
                assert str(value).startswith("/run/secrets"), f"{name}: {key}"
        assert not re.search("password|token|secret", str(service.get("command", "")))
        assert "env_file" not in service


def test_no_process_may_gain_rights_and_every_image_has_a_version() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":\d+\.\d+", service["image"]), name
        if name != "database":  # its start drops root by itself
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]


def test_all_nodes_of_ray_see_the_same_folders_and_ask_for_the_token() -> None:
    for name in ("head", "worker", "quickstart"):
        service = SERVICES[name]
        assert service["volumes"] == ["runs:/study/runs", "cache:/study/cache"]
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
        assert "ray_token" in service["secrets"]


def test_the_quickstart_is_a_launch_that_exists() -> None:
    """What Ray and MLflow are asked is tested by running it, in `test_rehearsal`."""
    line = SERVICES["quickstart"]["command"][-1].splitlines()[-1].removeprefix("exec ").split()
    assert line[:2] == ["sleepsweep", "launch"]
    launch = get_command(app).commands["launch"]  # type: ignore[attr-defined]
    known = {option for parameter in launch.params for option in parameter.opts}
    assert {word for word in line if word.startswith("--")} <= known
    assert (DOCKER.parent / line[2]).is_file()


def test_the_secrets_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    script = shutil.copy(DOCKER / "secrets.sh", tmp_path)
    subprocess.run([script], check=True)
    made = tmp_path / "secrets"
    assert {path.name for path in made.iterdir()} == set(TREE["secrets"])
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    before = {path.name: path.read_text() for path in made.iterdir()}
    random = [text for name, text in before.items() if name != "mlflow_credentials"]
    assert len(set(random)) == 4
    assert all(re.fullmatch(r"[0-9a-f]{64}", text) for text in random)
    assert before["mlflow_admin_password"] in before["mlflow_credentials"]
    assert subprocess.run([script], capture_output=True).returncode != 0
    assert {path.name: path.read_text() for path in made.iterdir()} == before
