"""The jobs of Slurm that a sweep has: submitting one, waiting for it, cancelling them."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from sleepsweep.cluster.slurm.controller import FORGOTTEN, Job, SlurmError, ask, look_up
from sleepsweep.errors import UserError
from sleepsweep.folder.studyfolder import JOBS
from sleepsweep.replacing import replacing

POLL_S, ENDING_S, SILENCE_S = 5.0, 10.0, 3600.0


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
        said = ask(["sbatch", "--parsable"], script)
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


def _cancel(number: int, *options: str) -> None:
    try:
        ask(["scancel", *options, str(number)])
    except SlurmError:
        # It may be ending by itself, or tasks of it may, which Slurm reports as an error.
        until = time.monotonic() + ENDING_S
        while not look_up(number).has_ended:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
