"""The commands on jobs of Slurm: render, submit, status, logs, cancel."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import app, console_for, interruptible
from sleepsweep.cli.jobs import Submission, check_apart, files_of
from sleepsweep.cli.options import (
    Data,
    Preset,
    Quiet,
    Seed,
    Settings,
    SweepPath,
    TrackingUri,
    Trials,
)
from sleepsweep.errors import UserError
from sleepsweep.exitstatus import COMPLETE, TRIALS_FAILED

if TYPE_CHECKING:
    from rich.console import Console

slurm = typer.Typer(help="Sweeps as jobs of Slurm.", no_args_is_help=True)
app.add_typer(slurm, name="slurm")

Spaces = Annotated[
    list[Path], typer.Argument(metavar="SPACE.yaml...", help="Search spaces, or folders of them.")
]
Nodes = Annotated[int | None, typer.Option(min=1, help="Nodes. Default: 1.")]
Gpus = Annotated[int | None, typer.Option(min=0, help="GPUs of each node. Default: 0.")]
Cpus = Annotated[int | None, typer.Option(min=1, help="Processors of each node. Default: 2.")]
Memory = Annotated[str | None, typer.Option(help="Memory of each processor, as 4G.")]
Time = Annotated[str | None, typer.Option(help="The time limit, as 12:00:00; then it requeues.")]
Partition = Annotated[str | None, typer.Option(help="The partition.")]
Account = Annotated[str | None, typer.Option(help="The account.")]
Qos = Annotated[str | None, typer.Option(help="The quality of service.")]
Mail = Annotated[str | None, typer.Option(help="Where Slurm writes to at the end.")]
Container = Annotated[
    str | None, typer.Option(help="What it runs in, as 'apptainer exec --nv image.sif'.")
]
EnvSetup = Annotated[
    list[str] | None, typer.Option(help="A line of shell to run first; repeatable.")
]
Sbatch = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Another option; repeatable.")
]
Array = Annotated[
    bool, typer.Option("--array", help="Without Ray: each trial is a task of a job array.")
]
Out = Annotated[Path | None, typer.Option(help="The sweep's folder; default: runs/NAME.")]


@slurm.command()
def render(
    space: Annotated[Path, typer.Argument(metavar="SPACE.yaml", help="The search space.")],
    data: Data = None, settings: Settings = None, preset: Preset = None, trials: Trials = None,
    seed: Seed = None, tracking_uri: TrackingUri = None, out: Out = None, nodes: Nodes = None,
    gpus_per_node: Gpus = None, cpus_per_task: Cpus = None, mem_per_cpu: Memory = None,
    time: Time = None, partition: Partition = None, account: Account = None, qos: Qos = None,
    mail: Mail = None, container: Container = None, env_setup: EnvSetup = None,
    sbatch: Sbatch = None, array: Array = False,
) -> None:  # fmt: skip
    """Print the script that submit would hand to Slurm; submit nothing."""
    made = Submission(space, out, locals())
    script = made.on_ray() if not array else made.array() or made.end()
    print(script, end="")


@slurm.command()
def submit(
    spaces: Spaces, data: Data = None, settings: Settings = None, preset: Preset = None,
    trials: Trials = None, seed: Seed = None, tracking_uri: TrackingUri = None, out: Out = None,
    nodes: Nodes = None, gpus_per_node: Gpus = None, cpus_per_task: Cpus = None,
    mem_per_cpu: Memory = None, time: Time = None, partition: Partition = None,
    account: Account = None, qos: Qos = None, mail: Mail = None, container: Container = None,
    env_setup: EnvSetup = None, sbatch: Sbatch = None, array: Array = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until the jobs have ended.")] = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Submit a job for each search space: a Ray cluster over its nodes, and the launch on it.

    Before its time limit a job saves and queues again, until the sweep is complete. Submitting
    again into the folder of a sweep goes on with it. With --array, each trial is a job of its own
    on one node, and a last one writes the report. With --wait the exit status is the jobs'.
    """
    from sleepsweep.cluster.slurm.jobs import wait_for

    given, files = locals(), files_of(spaces)
    if out is not None and len(files) > 1:
        raise UserError("--out: several search spaces have a folder each; leave it out.")
    submissions = [Submission(path, out, given) for path in files]
    check_apart(submissions)
    # All must be valid before the first is submitted.
    for made in submissions:
        if array:
            made.check_array()
        else:
            made.check_on_ray()
    console = console_for(quiet=quiet)
    numbers = [
        _submit_array(made, console) if array else _submitted(made, made.on_ray(), console)
        for made in submissions
    ]
    if wait:
        ended = [wait_for(number) for number in numbers]
        for job in ended:
            console.print(f"Job {job.number}: {job.state}, exit status {job.status}")
        raise typer.Exit(max((job.status for job in ended), default=COMPLETE))


def _submit_array(made: Submission, console: "Console") -> int:
    """Submit the array of a sweep's trials, and the job after it, whose number is returned."""
    made.begin()
    if (script := made.array()) is not None:
        array = made.jobs.submit(script)
        console.print(f"Job {array}: a task for each open trial of {made.folder.path}")
    return _submitted(made, made.end(), console)


def _submitted(made: Submission, script: str, console: "Console") -> int:
    from sleepsweep.terminal.summary import pointer

    number = made.jobs.submit(script)
    console.print(f"Job {number} for {made.folder.path}")
    console.print(pointer("Log", str(made.jobs.log(number))))
    return number


@slurm.command()
def task(
    sweep: SweepPath,
    number: Annotated[int, typer.Option(envvar="SLURM_ARRAY_TASK_ID", help="Which, from 0.")],
) -> None:
    """Run one trial of a sweep, without Ray: what each task of an array does.

    Exit status: 0 it has ended, 3 it was interrupted and can go on, 4 it failed.
    """
    from sleepsweep.cli.reading import recorded_spec
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.plan import make_plan
    from sleepsweep.tasks import run_task

    folder = SweepFolder(sweep.resolve())
    spec = recorded_spec(folder, tracking_uri=None, cluster=None)
    with interruptible(folder.path, folder.to_go_on):
        record = run_task(make_plan(spec), folder, number, [folder, folder.log])
    print(f"Trial {record.trial.id}, {record.trial.policy_text}: {record.state}")
    raise typer.Exit(TRIALS_FAILED if record.state == "failed" else COMPLETE)


@slurm.command()
def status(sweep: SweepPath) -> None:
    """Print what Slurm knows of a sweep's jobs; how far the sweep is says sleepsweep status."""
    from sleepsweep.cluster.slurm.jobs import Jobs
    from sleepsweep.terminal.tables import section, table

    jobs = Jobs(sweep.resolve())
    jobs.newest()
    made = table("state", "starts", "exit status", "nodes", first="job", words=["state", "nodes"])
    for job in jobs.all():
        made.add_row(str(job.number), job.state, str(job.starts), str(job.status), job.nodes)
    console_for(quiet=False).print(section(f"Jobs of {sweep}", made))


@slurm.command()
def logs(
    sweep: SweepPath,
    job: Annotated[
        str | None, typer.Option(help="A job's number, or JOB_TASK; default: the newest.")
    ] = None,
) -> None:
    """Print the log of a sweep's job."""
    from sleepsweep.cluster.slurm.jobs import Jobs

    jobs = Jobs(sweep.resolve())
    path = jobs.log(job if job is not None else jobs.newest())
    if not path.exists():
        there = ", ".join(sorted(log.stem for log in jobs.folder.glob("*.log"))) or "none"
        raise UserError(
            f"{path}: not there; the job has not begun, or is another sweep's. Logs there: {there}."
        )
    sys.stdout.write(path.read_text(encoding="utf-8", errors="replace"))


@slurm.command()
def cancel(sweep: SweepPath) -> None:
    """Cancel a sweep's jobs that have not ended; what was done is kept, and can go on."""
    from sleepsweep.cluster.slurm.jobs import Jobs

    jobs = Jobs(sweep.resolve())
    jobs.newest()
    gone = jobs.cancel()
    print(f"Cancelled: {', '.join(map(str, gone)) or 'none; all have ended'}.")
