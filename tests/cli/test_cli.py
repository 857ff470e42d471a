"""The command line as a user meets it: one message, the right exit status, nothing half-written."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

import sleepsweep

TINY_SPACE = {
    "name": "tiny",
    "pretrain": {"batch_size": 16, "steps": 4},
    "augmentations": {"size": [0, 1], "pool": {"SignFlip": {"p": 0.5}}},
    "scheduler": {"grace_steps": 1},
}


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def refused(command_line: Run, tmp_path: Path) -> Callable[..., None]:
    """Launch, and check that it ends as a user's mistake should."""

    def launch(*arguments: object, says: str) -> None:
        before = set(tmp_path.rglob("*"))
        ended = command_line("launch", *arguments, "--out", tmp_path / "out")
        assert ended.returncode == 2, ended.stdout + ended.stderr
        assert ended.stderr.count("sleepsweep: ") == 1
        assert says in ended.stderr, ended.stderr
        assert "Traceback" not in ended.stdout + ended.stderr
        assert set(tmp_path.rglob("*")) == before

    return launch


def space(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "space.yaml"
    path.write_text(yaml.safe_dump({**TINY_SPACE, **changes}))
    return path


def recordings(tmp_path: Path, count: int = 4, **changes: object) -> Path:
    """Write a folder of npz recordings whose first one has some arrays changed or left out."""
    folder = tmp_path / "nights"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for number in range(count):
        arrays = {
            "x": draw.normal(size=(8, 3000)).astype(np.float32),
            "y": np.arange(8) % 5, "fs": 100, "ch_label": "Fpz-Cz",
            **(changes if number == 0 else {}),
        }  # fmt: skip
        kept = {name: array for name, array in arrays.items() if array is not None}
        np.savez(folder / f"person{number}.npz", **kept)
    return folder


def test_help_and_version_need_nothing_heavy(command_line: Run) -> None:
    assert "launch" in command_line("--help").stdout
    assert command_line("--version").stdout == f"sleepsweep {sleepsweep.__version__}\n"


def test_check_validates_and_writes_nothing(command_line: Run, tmp_path: Path) -> None:
    path = space(tmp_path)
    ended = command_line("check", path, "--set", "pretrain.steps=9")
    assert ended.returncode == 0
    assert "valid" in ended.stdout
    assert "1, 3, 9" in ended.stdout
    assert [path] == list(tmp_path.iterdir())


def test_a_missing_search_space(refused: Callable[..., None], tmp_path: Path) -> None:
    refused(tmp_path / "none.yaml", says="no such file")


def test_an_unknown_augmentation(refused: Callable[..., None], tmp_path: Path) -> None:
    path = space(tmp_path, augmentations={"size": [0, 1], "pool": {"SignFlop": {}}})
    refused(path, says="Did you mean SignFlip?")


def test_a_severity_out_of_range(refused: Callable[..., None], tmp_path: Path) -> None:
    pool = {"TimeWarping": {"severity": {"uniform": [0, 2]}}}
    path = space(tmp_path, augmentations={"size": [0, 1], "pool": pool})
    refused(path, says="pool.TimeWarping.severity")


def test_missing_recordings(refused: Callable[..., None], tmp_path: Path) -> None:
    refused(space(tmp_path), "--data", tmp_path / "none", says="none")


PICKLED = np.array([{"a": 1}] * 8, dtype=object)
HOSTILE = {
    "without y": ({"y": None}, "'y'"),
    "all NaN": ({"x": np.full((8, 3000), np.nan, dtype=np.float32)}, "person0.npz"),
    "NaN among the stages": ({"y": np.full(8, np.nan)}, "'y'"),
    "pickled": ({"x": PICKLED}, "pickle"),
    "empty": ({"x": np.zeros((0, 3000), np.float32), "y": np.zeros(0, int)}, "person0.npz"),
    "another length": ({"x": np.zeros((8, 2999), np.float32)}, "2999"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_recordings_that_cannot_be_used(
    refused: Callable[..., None], tmp_path: Path, case: str
) -> None:
    changes, says = HOSTILE[case]
    refused(space(tmp_path), "--data", recordings(tmp_path, **changes), says=says)


def test_a_folder_of_pickles(refused: Callable[..., None], tmp_path: Path) -> None:
    folder = tmp_path / "pickles"
    folder.mkdir()
    (folder / "night.pkl").write_bytes(b"\x80\x04N.")
    refused(space(tmp_path), "--data", folder, says="np.savez")


def test_one_subject_only(refused: Callable[..., None], tmp_path: Path) -> None:
    folder = recordings(tmp_path, count=1)
    refused(space(tmp_path), "--data", folder, says="at least 3 are needed")


def test_a_folder_that_holds_something_else(refused: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    refused(space(tmp_path), says="holds no sweep")


def test_a_report_or_a_page_of_no_sweep(command_line: Run, tmp_path: Path) -> None:
    for command in ("report", "ui"):
        ended = command_line(command, tmp_path)
        assert ended.returncode == 2
        assert "Traceback" not in ended.stderr
        assert str(tmp_path) in ended.stderr
