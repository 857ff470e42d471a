"""Jobs of Slurm: submitting one, and what became of it."""

import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sleepsweep.errors import UserError
from sleepsweep.folder.studyfolder import JOBS
from sleepsweep.replacing import replacing

FORGOTTEN = "UNKNOWN"
"""The state of a job that neither Slurm's controller nor its accounting knows any more."""
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL",
         "DEADLINE", "PREEMPTED")  # fmt: skip
POLL_S, ENDING_S, SILENCE_S = 5.0, 10.0, 3600.0


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


@dataclass(frozen=True)
class Jobs:
    """The jobs of the sweep in a folder: a script and a log of each are kept there."""

    sweep: Path

    @property
    def folder(self) -> Path:
        """Where scripts and logs are."""
        return self.sweep / JOBS

    @property
    def log_pattern(self) -> Path:
        """The log of a job, with Slurm's ``%j`` for its number."""
        return self.folder / "%j.log"

    @property
    def task_log_pattern(self) -> Path:
        """The log of a task of an array, with Slurm's ``%A`` and ``%a`` for job and task."""
        return self.folder / "%A_%a.log"

    def log(self, job: int | str) -> Path:
        """The log of a job, or of a task of one, ``JOB_TASK``. `UserError` for another name."""
        if not re.fullmatch(r"\d+(_\d+)?", str(job)):
            raise UserError(f"--job {job}: give a job's number, or JOB_TASK of an array.")
        return self.folder / f"{job}.log"

    def numbers(self) -> list[int]:
        """The numbers of all jobs that were submitted, rising."""
        return sorted(int(path.stem) for path in self.folder.glob("*.sbatch"))

    def submit(self, script: str) -> int:
        """Submit a script; return the job's number. Raises `UserError` with what Slurm says."""
        self.folder.mkdir(parents=True, exist_ok=True)
        said = _slurm(["sbatch", "--parsable"], script)
        number = int(re.split(r"[;\s]", said.strip())[0])
        with replacing(self.folder / f"{number}.sbatch") as partial:
            # It holds the user's own lines of shell, in which there may be a password.
            partial.touch(mode=0o600)
            partial.write_text(script, encoding="utf-8")
        return number

    def newest(self) -> int:
        """The number of the newest job; `UserError` where there is none."""
        numbers = self.numbers()
        if not numbers:
            raise UserError(
                f"{self.sweep}: no job of Slurm was submitted for it (sleepsweep slurm submit)."
            )
        return numbers[-1]

    def all(self) -> list[Job]:
        """What Slurm knows of each job."""
        return [look_up(number) for number in self.numbers()]

    def cancel(self) -> list[int]:
        """Cancel the jobs that have not ended; return their numbers."""
        left = [job for job in self.all() if not job.has_ended and job.state != FORGOTTEN]
        # The newest first: it may wait for the others, and would begin when they have ended.
        for job in reversed(left):
            if job.has_begun:
                # The batch shell too, which passes it on to the launch.
                _cancel(job.number, "--full", "--signal=TERM")
            _cancel(job.number)
        return [job.number for job in left]


def look_up(number: int) -> Job:
    """Return what Slurm knows of a job; one that it has forgotten has an unknown state.

    Raises `SlurmError` where the controller cannot be asked: the job may be in the best of health.
    """
    try:
        said = _slurm(["scontrol", "--oneliner", "show", "job", str(number)])
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


def _cancel(number: int, *options: str) -> None:
    try:
        _slurm(["scancel", *options, str(number)])
    except SlurmError:
        # It may be ending by itself, or tasks of it may, which Slurm reports as an error.
        until = time.monotonic() + ENDING_S
        while not look_up(number).has_ended:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _count(tasks: str) -> int:
    """How many tasks a line of Slurm's stands for: those that wait share one, as ``3,5-9%2``."""
    count = 0
    for part in tasks.partition("%")[0].split(","):
        ends, _, step = part.partition(":")
        first, _, last = ends.partition("-")
        count += len(range(int(first), int(last or first) + 1, int(step or 1)))
    return count


def wait_for(number: int) -> Job:
    """Wait until a job has ended, requeued as often as it may be.

    Raises `UserError` where Slurm does not know it any more, or has not answered for an hour.
    """
    while not (job := _patiently(number)).has_ended:
        if job.state == FORGOTTEN:
            raise UserError(
                f"job {number}: Slurm does not know it any more, so how it ended cannot be told; "
                "sleepsweep status says how far the sweep is."
            )
        time.sleep(POLL_S)
    return job


def _patiently(number: int) -> Job:
    until = time.monotonic() + SILENCE_S
    while True:
        try:
            return look_up(number)
        except SlurmError:
            if time.monotonic() > until:
                raise
        time.sleep(POLL_S)


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


def _slurm(command: Sequence[str], given: str | None = None) -> str:
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
