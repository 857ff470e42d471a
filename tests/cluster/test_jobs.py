"""What is made of Slurm's answers, which scripts in its place give here."""

import os
from pathlib import Path

import pytest

from sleepsweep.cluster.slurm import jobs as module
from sleepsweep.cluster.slurm.controller import _count, look_up
from sleepsweep.cluster.slurm.jobs import Jobs
from sleepsweep.errors import UserError

LINES = [
    "JobId=7 ArrayJobId=7 ArrayTaskId=3,5-9%2 JobState=PENDING Restarts=0 NodeList=(null)",
    "JobId=8 ArrayJobId=7 ArrayTaskId=0 JobState=COMPLETED Restarts=2 NodeList=node1",
    "JobId=9 ArrayJobId=7 ArrayTaskId=1 JobState=FAILED Restarts=0 NodeList=node2 ExitCode=4:0",
]
ARRAY = "\n".join(LINES) + "\n"
UNKNOWN = "slurm_load_jobs error: Invalid job id specified\n"
DOWN = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"
SINGLE = "JobId=5 JobName=x JobState=RUNNING Restarts=1 NodeList=node[1-2] ExitCode=0:0\n"


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of commands, first on the path; each writes down how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def says(slurm: Path, command: str, text: str, status: int = 0) -> None:
    (slurm / f"{command}.txt").write_text(text)
    path = slurm / command
    path.write_text(
        f"#!/bin/sh\necho {command} $* >> {slurm}/called\n"
        f"cat {slurm}/{command}.txt {'>&2' if status else ''}\nexit {status}\n"
    )
    path.chmod(0o755)


def test_a_job(slurm: Path) -> None:
    says(slurm, "scontrol", SINGLE)
    job = look_up(5)
    assert (job.state, job.nodes, job.starts, job.status) == ("RUNNING", "node[1-2]", 2, 0)
    assert job.has_begun
    assert not job.has_ended


def test_the_tasks_of_an_array_are_counted_also_those_that_share_a_line(slurm: Path) -> None:
    says(slurm, "scontrol", ARRAY)
    job = look_up(7)
    assert job.state == "6 PENDING, 1 COMPLETED, 1 FAILED"
    assert (job.nodes, job.starts, job.status) == ("node1,node2", 3, 4)
    assert job.has_begun
    assert not job.has_ended


def test_what_the_controller_has_forgotten_is_asked_of_the_accounting(slurm: Path) -> None:
    says(slurm, "scontrol", UNKNOWN, 1)
    says(slurm, "sacct", "CANCELLED by 0|node1|0:15\nCANCELLED by 0|node1|0:15\n")
    job = look_up(7)
    assert (job.state, job.nodes) == ("CANCELLED", "node1")
    assert job.has_ended


@pytest.mark.parametrize(
    ("state", "said", "status"),
    [("COMPLETED", "0:0", 0), ("RUNNING", "0:0", 0), ("FAILED", "4:0", 4), ("FAILED", "2:9", 2),
     ("CANCELLED", "0:15", 143), ("OUT_OF_MEMORY", "0:125", 253), ("TIMEOUT", "0:0", 1),
     ("CANCELLED", "0:0", 1), ("NODE_FAIL", "0:0", 1)],
)  # fmt: skip
def test_what_did_not_complete_has_a_status_of_its_own(
    slurm: Path, state: str, said: str, status: int
) -> None:
    says(slurm, "scontrol", f"JobId=5 JobState={state} Restarts=0 NodeList= ExitCode={said}\n")
    assert look_up(5).status == status
    says(slurm, "scontrol", UNKNOWN, 1)
    says(slurm, "sacct", f"{state} by 0|node1|{said}\nCOMPLETED|node1|0:0\n")
    assert look_up(5).status == status


def test_a_job_that_nobody_knows_has_no_state(slurm: Path) -> None:
    says(slurm, "scontrol", UNKNOWN, 1)
    says(slurm, "sacct", "", 1)
    assert look_up(7).state == "UNKNOWN"


def test_a_job_that_waits_is_cancelled_without_a_signal_and_first(
    slurm: Path, tmp_path: Path
) -> None:
    jobs = Jobs(tmp_path / "sweep")
    jobs.folder.mkdir(parents=True)
    for number in (5, 7):
        (jobs.folder / f"{number}.sbatch").touch()
    (slurm / "scontrol").write_text(
        f'#!/bin/sh\n[ $4 = 5 ] && echo "{SINGLE.strip()}" || '
        "echo JobId=7 JobState=PENDING NodeList= ExitCode=0:0\n"
    )
    (slurm / "scontrol").chmod(0o755)
    says(slurm, "scancel", "")
    assert jobs.cancel() == [5, 7]
    assert (slurm / "called").read_text().splitlines() == [
        "scancel 7", "scancel --full --signal=TERM 5", "scancel 5",
    ]  # fmt: skip


def test_a_log_has_the_number_of_a_job_or_of_a_task(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    assert jobs.log(12).name == "12.log"
    assert jobs.log("12_3").name == "12_3.log"
    with pytest.raises(UserError, match="JOB_TASK"):
        jobs.log("../../etc/passwd")


def test_one_that_ends_while_it_is_cancelled_is_no_error(slurm: Path, tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "sweep")
    jobs.folder.mkdir(parents=True)
    (jobs.folder / "5.sbatch").touch()
    says(slurm, "scontrol", SINGLE)
    (slurm / "scancel").write_text(
        f"#!/bin/sh\nsed -i s/RUNNING/FAILED/ {slurm}/scontrol.txt\nexit 1\n"
    )
    (slurm / "scancel").chmod(0o755)
    assert jobs.cancel() == [5]


def test_what_slurm_refuses_is_said(
    slurm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ENDING_S", 0.0)
    jobs = Jobs(tmp_path / "sweep")
    jobs.folder.mkdir(parents=True)
    (jobs.folder / "5.sbatch").touch()
    says(slurm, "scontrol", SINGLE)
    says(slurm, "scancel", "", 7)
    with pytest.raises(UserError, match="scancel: exit status 7"):
        jobs.cancel()


@pytest.mark.parametrize(
    ("tasks", "count"), [("7", 1), ("0-3", 4), ("1,3,5-9", 7), ("0-20:2", 11), ("0-20:5,30%2", 6)]
)
def test_lists_of_tasks(tasks: str, count: int) -> None:
    assert _count(tasks) == count


def test_what_slurm_has_forgotten_is_neither_cancelled_nor_waited_for(
    slurm: Path, tmp_path: Path
) -> None:
    jobs = Jobs(tmp_path / "sweep")
    jobs.folder.mkdir(parents=True)
    (jobs.folder / "5.sbatch").touch()
    says(slurm, "scontrol", UNKNOWN, 1)
    says(slurm, "sacct", "", 1)
    says(slurm, "scancel", "", 1)
    assert jobs.cancel() == []
    with pytest.raises(UserError, match="Slurm does not know it any more"):
        module.wait_for(5)


def test_what_a_controller_that_is_down_knows_cannot_be_told(slurm: Path, tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "sweep")
    jobs.folder.mkdir(parents=True)
    (jobs.folder / "5.sbatch").touch()
    says(slurm, "scontrol", DOWN, 1)
    says(slurm, "sacct", "COMPLETED|node1|0:0\n")
    for ask in (jobs.all, jobs.cancel):
        with pytest.raises(UserError, match="Unable to contact slurm controller"):
            ask()


def test_a_controller_that_is_down_is_waited_for_but_not_for_ever(
    slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(slurm, "scontrol", DOWN, 1)
    slept = []

    def sleep(_: float) -> None:
        slept.append(1)
        says(slurm, "scontrol", SINGLE.replace("RUNNING", "COMPLETED"))

    monkeypatch.setattr(module.time, "sleep", sleep)
    assert module.wait_for(5).state == "COMPLETED"
    assert slept == [1]
    says(slurm, "scontrol", DOWN, 1)
    monkeypatch.setattr(module, "SILENCE_S", -1.0)
    with pytest.raises(UserError, match="Unable to contact"):
        module.wait_for(5)


def test_a_script_is_for_its_owner_only(slurm: Path, tmp_path: Path) -> None:
    says(slurm, "sbatch", "12\n")
    jobs = Jobs(tmp_path / "sweep")
    assert jobs.submit("export PASSWORD=secret") == 12
    assert (jobs.folder / "12.sbatch").stat().st_mode & 0o077 == 0
