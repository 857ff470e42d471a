"""What Slurm knows of a job: its commands are asked, its controller first."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sleepsweep.errors import UserError

FORGOTTEN = "UNKNOWN"
"""The state of a job that neither Slurm's controller nor its accounting knows any more."""
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL",
         "DEADLINE", "PREEMPTED")  # fmt: skip


class SlurmError(UserError):
    """Slurm did not do what it was asked, or its controller is down."""


@dataclass(frozen=True)
class Job:
    """A job: its number, its tasks by state, their nodes, the most starts and exit status of any.

    A job that is no array has one task. States are what Slurm calls them; an exit status is what a
    shell would tell, 128 and the signal's number where that ended it.
    """

    number: int
    states: Mapping[str, int]
    nodes: str
    starts: int
    status: int

    @property
    def state(self) -> str:
        """The state that all tasks are in, or how many are in which."""
        if len(self.states) == 1:
            return next(iter(self.states))
        return ", ".join(f"{count} {state}" for state, count in self.states.items())

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return all(state in ENDED for state in self.states)

    @property
    def has_begun(self) -> bool:
        """Whether any of it has left the queue."""
        return set(self.states) != {"PENDING"}


def look_up(number: int) -> Job:
    """Return what Slurm knows of a job; one that it has forgotten has an unknown state.

    Raises `SlurmError` where the controller cannot be asked: the job may be in the best of health.
    """
    try:
        said = ask(["scontrol", "--oneliner", "show", "job", str(number)])
    except SlurmError as error:
        if "Invalid job id" not in str(error):
            raise
        return _accounted(number)
    tasks = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in said.splitlines() if line]
    named = {task.get("NodeList", "").replace("(null)", "") for task in tasks}
    states: Counter[str] = Counter()
    for task in tasks:
        states[task["JobState"]] += _count(task.get("ArrayTaskId", "0"))
    return Job(
        number,
        states,
        ",".join(sorted(named - {""})),
        max(int(task.get("Restarts", 0)) for task in tasks) + 1,
        max(_status(task["JobState"], task.get("ExitCode", "0:0")) for task in tasks),
    )


def _status(state: str, said: str) -> int:
    """The exit status in what Slurm said, the command's and a signal's number: ``0:15``."""
    code, signal = map(int, said.split(":"))
    # Both are 0 of a job that was cancelled before it began, or that lost its node.
    return code or (128 + signal if signal else int(state in ENDED and state != "COMPLETED"))


def _count(tasks: str) -> int:
    """How many tasks a line of Slurm's stands for: those that wait share one, as ``3,5-9%2``."""
    count = 0
    for part in tasks.partition("%")[0].split(","):
        ends, _, step = part.partition(":")
        first, _, last = ends.partition("-")
        count += len(range(int(first), int(last or first) + 1, int(step or 1)))
    return count


def _accounted(number: int) -> Job:
    """What Slurm's accounting knows of a job that its controller has forgotten."""
    if shutil.which("sacct"):
        said = _run(["sacct", "-X", "-n", "-P", "-j", str(number), "-o", "State,NodeList,ExitCode"])
        tasks = [line.split("|") for line in said.stdout.splitlines()]
        if said.returncode == 0 and tasks:
            return Job(
                number,
                Counter(state.split()[0] for state, _, _ in tasks),
                ",".join(sorted({nodes for _, nodes, _ in tasks})),
                1,
                max(_status(state.split()[0], status) for state, _, status in tasks),
            )
    return Job(number, {FORGOTTEN: 1}, "", 0, 0)


def ask(command: Sequence[str], given: str | None = None) -> str:
    """Run one of Slurm's commands, `given` its input; return what it says.

    Raises `SlurmError` with what it says where it fails.
    """
    done = _run(command, given)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}"
        raise SlurmError(f"{command[0]}: {said}")
    return done.stdout


def _run(command: Sequence[str], given: str | None = None) -> subprocess.CompletedProcess[str]:
    # Slurm would cut long lists of tasks short.
    whole = {**os.environ, "SLURM_BITSTR_LEN": "0"}
    try:
        return subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, env=whole
        )
    except FileNotFoundError as error:
        raise UserError(
            f"{command[0]}: not found. Run this where Slurm's commands are, on a login node; "
            "sleepsweep slurm render prints the script anywhere."
        ) from error
