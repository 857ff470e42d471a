"""The script of a job, as text."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from sleepsweep.cluster.slurm.options import SlurmOptions

RESUMABLE = 3
"""The exit status of a launch that was ended early and can go on."""


def render(options: SlurmOptions, name: str, launch: Sequence[str], log: Path) -> str:
    """Return the script of a job called `name` that runs the command `launch` on a Ray cluster.

    `launch` is given ``--cluster ADDRESS`` behind its own arguments. The job writes to `log`, in
    which ``%j`` is its number. Everything that a shell reads is quoted.
    """
    environment = Environment(
        loader=PackageLoader("sleepsweep.cluster.slurm"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # a shell script: quoted by `sh`
    )
    environment.filters["sh"] = shlex.quote
    return environment.get_template("ray.sbatch.j2").render(
        options=options,
        name=name,
        launch=launch,
        log=str(log),
        bin=str(Path(sys.executable).parent),
        resumable=RESUMABLE,
    )
