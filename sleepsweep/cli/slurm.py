"""The commands on jobs of Slurm: render, submit, status, logs, cancel."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sleepsweep.cli.app import COMPLETE, app, console_for
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

if TYPE_CHECKING:
    from sleepsweep.cluster.slurm.options import SlurmOptions

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
Out = Annotated[Path | None, typer.Option(help="The sweep's folder; default: runs/NAME.")]


@slurm.command()
def render(
    space: Annotated[Path, typer.Argument(metavar="SPACE.yaml", help="The search space.")],
    data: Data = None, settings: Settings = None, preset: Preset = None, trials: Trials = None,
    seed: Seed = None, tracking_uri: TrackingUri = None, out: Out = None, nodes: Nodes = None,
    gpus_per_node: Gpus = None, cpus_per_task: Cpus = None, mem_per_cpu: Memory = None,
    time: Time = None, partition: Partition = None, account: Account = None, qos: Qos = None,
    mail: Mail = None, container: Container = None, env_setup: EnvSetup = None,
    sbatch: Sbatch = None,
) -> None:  # fmt: skip
    """Print the script that submit would hand to Slurm; submit nothing."""
    options = _options(locals())
    script, _ = _script(space, options, out, _launch_options(locals()))
    print(script, end="")


@slurm.command()
def submit(
    spaces: Spaces, data: Data = None, settings: Settings = None, preset: Preset = None,
    trials: Trials = None, seed: Seed = None, tracking_uri: TrackingUri = None, out: Out = None,
    nodes: Nodes = None, gpus_per_node: Gpus = None, cpus_per_task: Cpus = None,
    mem_per_cpu: Memory = None, time: Time = None, partition: Partition = None,
    account: Account = None, qos: Qos = None, mail: Mail = None, container: Container = None,
    env_setup: EnvSetup = None, sbatch: Sbatch = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until the jobs have ended.")] = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Submit a job for each search space: a Ray cluster over its nodes, and the launch on it.

    Before its time limit a job saves and queues again, until the sweep is complete. Submitting
    again into the folder of a sweep goes on with it. With --wait the exit status is the jobs'.
    """
    from sleepsweep.cluster.slurm.jobs import Jobs, wait_for
    from sleepsweep.terminal.summary import pointer

    options, given = _options(locals()), _launch_options(locals())
    files = _files(spaces)
    if out is not None and len(files) > 1:
        raise UserError("--out: several search spaces have a folder each; leave it out.")
    made = [_script(path, options, out, given) for path in files]
    console, numbers = console_for(quiet=quiet), []
    for script, folder in made:
        jobs = Jobs(folder)
        numbers.append(jobs.submit(script))
        console.print(f"Job {numbers[-1]} for {folder}")
        console.print(pointer("Log", str(jobs.log(numbers[-1]))))
    if wait:
        ended = [wait_for(number) for number in numbers]
        for job in ended:
            console.print(f"Job {job.number}: {job.state}, exit status {job.status}")
        raise typer.Exit(max((job.status for job in ended), default=COMPLETE))


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
    job: Annotated[int | None, typer.Option(help="A job's number; default: the newest.")] = None,
) -> None:
    """Print the log of a sweep's job."""
    from sleepsweep.cluster.slurm.jobs import Jobs

    jobs = Jobs(sweep.resolve())
    path = jobs.log(job if job is not None else jobs.newest())
    if not path.exists():
        raise UserError(f"{path}: not there yet; the job has not begun, or is another sweep's.")
    sys.stdout.write(path.read_text(encoding="utf-8", errors="replace"))


@slurm.command()
def cancel(sweep: SweepPath) -> None:
    """Cancel a sweep's jobs that have not ended; what was done is kept, and can go on."""
    from sleepsweep.cluster.slurm.jobs import Jobs

    jobs = Jobs(sweep.resolve())
    jobs.newest()
    gone = jobs.cancel()
    print(f"Cancelled: {', '.join(map(str, gone)) or 'none; all have ended'}.")


def _options(given: dict[str, Any]) -> "SlurmOptions":
    """The options of Slurm among the arguments of a command."""
    from sleepsweep.cluster.slurm.options import SlurmOptions, read_options

    fields = set(SlurmOptions.model_fields) - {"sbatch"}
    asked = {key: value for key, value in given.items() if key in fields}
    return read_options(asked, given["sbatch"] or [])


def _launch_options(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a command that it hands on to the launch."""
    keys = ("data", "settings", "preset", "trials", "seed", "tracking_uri")
    return {key: given[key] for key in keys}


def _files(spaces: list[Path]) -> list[Path]:
    found = [
        path
        for space in spaces
        for path in (sorted(space.glob("*.y*ml")) if space.is_dir() else [space])
    ]
    if not found:
        raise UserError(f"{spaces[0]}: holds no search space (*.yaml).")
    return found


def _script(
    space: Path, options: "SlurmOptions", out: Path | None, given: dict[str, Any]
) -> tuple[str, Path]:
    """The script for a search space, which is read and must be valid, and the sweep's folder."""
    from sleepsweep.cli.reading import read_space
    from sleepsweep.cluster.slurm.jobs import Jobs
    from sleepsweep.cluster.slurm.script import render as rendered

    spec = read_space(space, **given)
    folder = (out or Path("runs") / spec.name).resolve()
    if re.search(r"[^\w./@%+=:,~-]", str(folder)):
        raise UserError(
            f"{folder}: holds blanks or other letters that a line of #SBATCH may not have; give a "
            "plain folder with --out."
        )
    launch = [sys.executable, "-m", "sleepsweep", "launch", str(space.resolve())]
    launch += ["--out", str(folder), "--track-later", *_arguments(given)]
    return rendered(options, spec.name, launch, Jobs(folder).log_pattern), folder


def _arguments(given: dict[str, Any]) -> list[str]:
    """The options of a launch as they would be typed; paths are absolute, as jobs run elsewhere."""
    names = {"settings": "--set", "tracking_uri": "--tracking-uri"}
    words = []
    for key, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                told = each.resolve() if isinstance(each, Path) else each
                words += [names.get(key, f"--{key}"), str(told)]
    return words
