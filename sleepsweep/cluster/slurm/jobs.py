"""Jobs of Slurm: submitting one, and what became of it."""

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sleepsweep.errors import UserError
from sleepsweep.replacing import replacing

FOLDER = "slurm"
"""The folder in a sweep's that holds its jobs' scripts and logs."""

ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL",
         "DEADLINE", "PREEMPTED")  # fmt: skip
POLL_S = 5.0


@dataclass(frozen=True)
class Job:
    """A job: its number, its state as Slurm calls it, its nodes, starts, and exit status."""

    number: int
    state: str
    nodes: str
    starts: int
    status: int

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ENDED


@dataclass(frozen=True)
class Jobs:
    """The jobs of the sweep in a folder: a script and a log of each are kept there."""

    sweep: Path

    @property
    def folder(self) -> Path:
        """Where scripts and logs are."""
        return self.sweep / FOLDER

    @property
    def log_pattern(self) -> Path:
        """The log of a job, with Slurm's ``%j`` for its number."""
        return self.folder / "%j.log"

    def log(self, number: int) -> Path:
        """The log of a job."""
        return self.folder / f"{number}.log"

    def numbers(self) -> list[int]:
        """The numbers of all jobs that were submitted, rising."""
        return sorted(int(path.stem) for path in self.folder.glob("*.sbatch"))

    def submit(self, script: str) -> int:
        """Submit a script; return the job's number. Raises `UserError` with what Slurm says."""
        self.folder.mkdir(parents=True, exist_ok=True)
        said = _slurm(["sbatch", "--parsable"], script)
        number = int(re.split(r"[;\s]", said.strip())[0])
        with replacing(self.folder / f"{number}.sbatch") as partial:
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
        left = [job.number for job in self.all() if not job.has_ended]
        for number in left:
            # The batch shell too, which passes it on to the launch.
            _slurm(["scancel", "--full", "--signal=TERM", str(number)])
            _slurm(["scancel", str(number)])
        return left


def look_up(number: int) -> Job:
    """Return what Slurm knows of a job; one that it has forgotten has an unknown state."""
    done = _run(["scontrol", "--oneliner", "show", "job", str(number)])
    if done.returncode:
        return _accounted(number)
    fields = dict(re.findall(r"(\w+)=(\S*)", done.stdout))
    return Job(
        number,
        fields["JobState"],
        fields.get("NodeList", "").replace("(null)", ""),
        int(fields.get("Restarts", 0)) + 1,
        int(fields.get("ExitCode", "0:0").split(":")[0]),
    )


def wait_for(number: int) -> Job:
    """Wait until a job has ended, requeued as often as it may be."""
    while not (job := look_up(number)).has_ended:
        time.sleep(POLL_S)
    return job


def _accounted(number: int) -> Job:
    if shutil.which("sacct"):
        said = _run(["sacct", "-X", "-n", "-P", "-j", str(number), "-o", "State,NodeList,ExitCode"])
        fields = said.stdout.strip().split("|")
        if said.returncode == 0 and len(fields) == 3:
            state, nodes, status = fields
            return Job(number, state.split()[0], nodes, 1, int(status.split(":")[0]))
    return Job(number, "UNKNOWN", "", 0, 0)


def _slurm(command: Sequence[str], given: str | None = None) -> str:
    done = _run(command, given)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise UserError(f"{command[0]}: {said}")
    return done.stdout


def _run(command: Sequence[str], given: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UserError(
            f"{command[0]}: not found. Run this where Slurm's commands are, on a login node; "
            "sleepsweep slurm render prints the script anywhere."
        ) from error
