"""What ends a launch ends it in order, wherever it is, and says what goes on."""

import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from sleepsweep.cli.app import ENDS, interruptible
from sleepsweep.exitstatus import INCOMPLETE
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan

Run = Callable[..., subprocess.CompletedProcess[str]]
Handled = Callable[[signal.Signals, signal.Handlers], object]

ON_A_TERMINAL = """
import fcntl, signal, sys, termios, time
from pathlib import Path
import typer
from sleepsweep.cli.app import interruptible

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run under nohup themselves
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
try:
    with interruptible(Path("sweep"), lambda: "launch again"):
        print("at work", flush=True)
        time.sleep(60)
except typer.Exit as ended:
    sys.exit(ended.exit_code)
"""


@pytest.fixture
def handled() -> Iterator[Handled]:
    """Return what sets how a signal is handled; after the test all are as before."""
    before = {number: signal.getsignal(number) for number in ENDS}
    yield signal.signal
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDS)
def test_each_signal_ends_a_launch_with_the_command_that_goes_on(
    number: signal.Signals, handled: Handled, capfd: pytest.CaptureFixture[str]
) -> None:
    handled(number, signal.SIG_DFL)
    with pytest.raises(typer.Exit) as ended, interruptible(Path("sweep"), lambda: "launch again"):
        signal.raise_signal(number)
    assert ended.value.exit_code == INCOMPLETE
    assert capfd.readouterr().err.endswith("To go on: launch again\n")
    assert signal.getsignal(number) is signal.SIG_DFL


def test_what_runs_under_nohup_outlives_its_terminal(handled: Handled) -> None:
    handled(signal.SIGHUP, signal.SIG_IGN)
    with interruptible(Path("sweep"), lambda: "launch again"):
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_launch_whose_terminal_is_gone_ends_in_order_too() -> None:
    ours, theirs = pty.openpty()
    launch = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL], stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    assert os.read(ours, 7) == b"at work"
    os.close(ours)
    assert launch.wait(60) == INCOMPLETE


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM comes while recordings are prepared."""
    monkeypatch.setattr("sleepsweep.plan.prepare", lambda *_, **__: terminated())
    monkeypatch.setattr("sleepsweep.experiment.setting.prepare", lambda *_, **__: terminated())


def terminated() -> None:
    signal.raise_signal(signal.SIGTERM)


@pytest.mark.usefixtures("interrupted")
def test_a_launch_that_has_begun_nothing_says_so_and_goes_on_by_the_same_command(
    command_line: Run, write_space: Callable[..., Path], tmp_path: Path
) -> None:
    given = ("launch", write_space(tmp_path), "--fresh", "--out", tmp_path / "new")
    ended = command_line(*given)
    assert ended.returncode == INCOMPLETE
    again = shlex.join(["sleepsweep", *map(str, given)])
    assert f"nothing has been run. To go on: {again}\n" in ended.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("interrupted")
def test_so_does_an_experiment(
    command_line: Run, tree: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tree()))
    ended = command_line("train", tmp_path / "tiny.yaml", "--out", tmp_path / "new")
    assert ended.returncode == INCOMPLETE
    assert "nothing has been run. To go on: sleepsweep train" in ended.stderr


def test_an_extension_that_has_added_nothing_is_asked_for_again(
    command_line: Run, plan: Plan, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    folder.path.mkdir()
    folder.begin(plan.manifest(), fresh=False)
    request.getfixturevalue("interrupted")
    ended = command_line("extend", folder.path, "--trials", "2")
    assert ended.returncode == INCOMPLETE
    assert f"To go on: sleepsweep extend {folder.path} --trials 2\n" in ended.stderr
    assert folder.total_trials(6) == 6
