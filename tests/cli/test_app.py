"""What ends a launch ends it in order, wherever it is, and says what goes on."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from sleepsweep.cli.app import ENDS, interruptible
from sleepsweep.exitstatus import INCOMPLETE

ON_A_TERMINAL = """
import fcntl, sys, termios, time
from pathlib import Path
import typer
from sleepsweep.cli.app import interruptible

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
try:
    with interruptible(Path("sweep"), lambda: "launch again"):
        print("at work", flush=True)
        time.sleep(60)
except typer.Exit as ended:
    sys.exit(ended.exit_code)
"""


@pytest.mark.parametrize("number", ENDS)
def test_each_signal_ends_a_launch_with_the_command_that_goes_on(
    number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    with pytest.raises(typer.Exit) as ended, interruptible(Path("sweep"), lambda: "launch again"):
        signal.raise_signal(number)
    assert ended.value.exit_code == INCOMPLETE
    assert capfd.readouterr().err.endswith("To go on: launch again\n")
    assert signal.getsignal(number) is before


def test_what_runs_under_nohup_outlives_its_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible(Path("sweep"), lambda: "launch again"):
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


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
