"""The scripts of jobs, as text."""

import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from sleepsweep.cluster.slurm.options import SlurmOptions
from sleepsweep.exitstatus import INCOMPLETE


def render_ray(options: SlurmOptions, sweep: Path, launch: Sequence[str], log: Path) -> str:
    """Return the script of a job that runs the command `launch` of a `sweep` on a Ray cluster.

    `launch` is given ``--cluster ADDRESS`` behind its own arguments. The job writes to `log`, in
    which ``%j`` is its number. Everything that a shell reads is quoted.
    """
    return _rendered("ray.sbatch.j2", options, sweep, launch, log)


def render_plain(
    options: SlurmOptions, sweep: Path, words: Sequence[str], log: Path, tasks: Iterable[int] = ()
) -> str:
    """Return the script of a job that runs a command on one node, without Ray.

    With `tasks` the job is an array of those numbers; each finds its own in
    ``$SLURM_ARRAY_TASK_ID``.
    """
    return _rendered("job.sbatch.j2", options, sweep, words, log, ranges(tasks))


def ranges(numbers: Iterable[int]) -> str:
    """Return rising numbers as Slurm writes them: ``0-3,7``."""
    runs = groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0])
    found = [[number for _, number in run] for _, run in runs]
    return ",".join(
        f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in found
    )  # fmt: skip


def _rendered(
    template: str, options: SlurmOptions, sweep: Path, words: Sequence[str], log: Path,
    array: str = "",
) -> str:  # fmt: skip
    environment = Environment(
        loader=PackageLoader("sleepsweep.cluster.slurm"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # a shell script: quoted by `sh`
    )
    environment.filters["sh"] = shlex.quote
    return environment.get_template(template).render(
        options=options,
        name=re.sub(r"[^\w.-]", "-", sweep.name),
        sweep=str(sweep),
        words=words,
        log=str(log),
        array=array,
        bin=str(Path(sys.executable).parent),
        resumable=INCOMPLETE,
    )
