"""The commands on Slurm, of which scripts stand in the place here."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan

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


@pytest.fixture
def sbatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What was submitted, of which there is no file before the first."""
    given, command = tmp_path / "given", tmp_path / "bin" / "sbatch"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\ncat >> {given}\necho 7\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    return given


def test_a_folder_of_something_else_is_left_alone(
    command_line: Run, space: Path, tmp_path: Path, sbatch: Path
) -> None:
    thesis = tmp_path / "foreign" / "thesis.tex"
    thesis.parent.mkdir()
    thesis.touch()
    done = command_line("slurm", "submit", space, "--out", thesis.parent)
    assert done.returncode == 2
    assert "is not empty and holds no sweep" in done.stderr
    assert list(thesis.parent.iterdir()) == [thesis]
    assert not sbatch.exists()


def test_a_sweep_is_submitted_again_into_its_own_folder_but_not_into_anothers(
    command_line: Run, space: Path, plan: Plan, tmp_path: Path, sbatch: Path
) -> None:
    submit = ["slurm", "submit", space, "--out", tmp_path / "out"]
    assert command_line(*submit).returncode == 0
    folder = SweepFolder(tmp_path / "out")
    assert [path.name for path in (folder.path / "slurm").iterdir()] == ["7.sbatch"]
    folder.begin(plan.manifest(), fresh=False)
    assert command_line(*submit).returncode == 0
    sbatch.unlink()
    done = command_line(*submit, "--seed", 99)
    assert done.returncode == 2
    assert "a sweep of another search space. Changed: seed" in done.stderr
    assert not sbatch.exists()
