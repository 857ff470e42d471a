"""The commands on augmentations as a user meets them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sleepsweep.data.store import Store

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(command_line: Callable[..., subprocess.CompletedProcess[str]]) -> Run:
    """Run ``sleepsweep augment …`` in this process; return how it ended and what it said."""

    def call(*arguments: object) -> tuple[int, str, str]:
        ended = command_line("augment", *arguments)
        return ended.returncode, ended.stdout, ended.stderr

    return call


def test_list(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    status, out, _ = run("list")
    assert status == 0
    assert "17 augmentations" in out
    assert "TimeWarping" in out


def test_show_draws_a_store(run: Run, store: Store, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    named = ("--augmentation", "AverageFilter", "--augmentation", "SignFlip")
    status, out, _ = run("show", "--data", store.folder, "--out", page, *named)
    assert status == 0
    assert f"2 augmentations of epochs of 5 stages in {page}" in out
    assert "<option>AverageFiltering</option>" in page.read_text()


def test_show_draws_a_simulated_night_where_there_are_no_data(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("show", "--out", tmp_path / "page.html", "--quiet")
    assert (status, out) == (0, "")
    assert "<option>ChannelsDropout</option>" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--out", "page.html", "--augmentation", "SignFlop"), "Did you mean SignFlip"),
        (("--out", "page.html", "--data", "nowhere"), "no such path"),
        (("--out", "."), "is a folder"),
    ],
)
def test_a_mistake_is_one_message_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    status, _, err = run("show", *arguments)
    assert status == 2
    assert err.count("sleepsweep: ") == 1
    assert says in err
    assert list(tmp_path.iterdir()) == []
