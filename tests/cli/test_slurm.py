"""The commands on Slurm, of which scripts stand in the place here."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def _no_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLEEPSWEEP_SLURM", str(tmp_path / "none.yaml"))


@pytest.fixture
def space(write_space: Callable[..., Path], tmp_path: Path) -> Path:
    return write_space(tmp_path)


@pytest.mark.parametrize("how", [[], ["--array", "--set", "scheduler.name=none"]])
def test_in_a_container_its_own_sleepsweep_is_run(
    command_line: Run, space: Path, tmp_path: Path, how: list[str]
) -> None:
    render = ["slurm", "render", space, "--out", tmp_path / "out", *how]
    assert f'"${{inside[@]}}" {sys.executable} -m sleepsweep ' in command_line(*render).stdout
    script = command_line(*render, "--container", "apptainer exec a.sif").stdout
    assert '"${inside[@]}" sleepsweep ' in script
    assert f"{sys.executable} -m" not in script
