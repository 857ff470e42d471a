"""Secrets of a launch stay where they were given, and what a folder holds of Ray is not read."""

import json
import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from sleepsweep.folder.sweepfolder import SweepFolder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

GIVEN = {
    "MLFLOW_TRACKING_USERNAME": "somebody",
    "MLFLOW_TRACKING_PASSWORD": "5ecret-passw0rd",
    "MLFLOW_TRACKING_TOKEN": "5ecret-t0ken",
}


class Bomb:
    """What runs code when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._marker,)


@pytest.fixture(scope="module")
def launched(
    write_space: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, list[str]]:
    """A launch in a home of its own, with a password, a token, and a folder that holds bombs.

    The sweep's folder, what was printed, and the command lines of all its processes.
    """
    home = tmp_path_factory.mktemp("home")
    out = home / "sweep"
    space = write_space(home, pretrain={"steps": 2}, search={"trials": 3})
    command = [sys.executable, "-m", "sleepsweep"]
    lines: set[str] = set()
    said = _say([*command, "launch", str(space), "--out", str(out)], home, lines)
    _plant(out / "ray" / "tune", home / "exploded")
    said += _say([*command, "extend", str(out), "--trials", "1"], home, lines)
    return out, said, sorted(lines)


def _say(command: list[str], home: Path, lines: set[str]) -> str:
    """Run a command; return its errors and its output, and add its processes' command lines."""
    errors = home / "errors"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [*command, "--json"], env={**os.environ, **GIVEN, "HOME": str(home)}, text=True,
            stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
    assert process.stdout is not None
    said = ""
    for row in process.stdout:
        said += row
        lines |= _lines(process.pid)
    status, said = process.wait(), errors.read_text() + said
    assert status == 0, said
    return said


def _plant(folder: Path, marker: Path) -> None:
    folder.mkdir(parents=True)
    names = ("tuner.pkl", "trainable.pkl", "experiment_state-2026-01-01_00-00-00.json",
             "searcher-state-2026-01-01_00-00-00.pkl", "search_gen_state-2026.json",
             "callback-states.pkl")  # fmt: skip
    for name in names:
        (folder / name).write_bytes(pickle.dumps(Bomb(marker)))


def _lines(pid: int) -> set[str]:
    found = set()
    for process in psutil.Process(pid).children(recursive=True):
        try:
            found.add(" ".join(process.cmdline()))
        except psutil.NoSuchProcess:
            continue
    return found


def test_rays_token_is_a_file_for_its_owner_only(launched: Any) -> None:
    token = launched[0].parent / ".ray" / "auth_token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600


def test_no_secret_is_printed_recorded_or_in_a_list_of_processes(launched: Any) -> None:
    out, said, commands = launched
    token = (out.parent / ".ray" / "auth_token").read_text().strip()
    assert len(token) >= 32
    assert any("raylet" in line for line in commands)
    held = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    assert len(held) > 20
    for secret in (GIVEN["MLFLOW_TRACKING_PASSWORD"], GIVEN["MLFLOW_TRACKING_TOKEN"], token):
        assert secret not in said
        assert not [line for line in commands if secret in line]
        assert not any(secret.encode() in data for data in held)


def test_what_is_left_of_ray_in_a_folder_is_not_read(launched: Any) -> None:
    out, said, _ = launched
    assert json.loads(said.splitlines()[-1])["status"] == 0
    assert len(SweepFolder(out).records()) == 5
    assert not (out.parent / "exploded").exists()
    for path in (out / "ray").rglob("*.pkl"):
        raise AssertionError(f"{path} was left")
    marker = out.parent / "exploded"
    pickle.loads(pickle.dumps(Bomb(marker)))  # noqa: S301 - it is one that works
    assert marker.exists()
