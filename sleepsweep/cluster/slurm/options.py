"""What a job asks of Slurm: options of the command line over those of a site's profile."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, ValidationError

from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec

PROFILE = Path("~/.config/sleepsweep/slurm.yaml")
"""The site's profile; ``$SLEEPSWEEP_SLURM`` names another file."""

# What Slurm calls its own: these keys have a field here, or the job's working depends on them.
OURS = ("nodes", "ntasks", "ntasks-per-node", "cpus-per-task", "array", "requeue",
        "open-mode", "signal", "output", "job-name")  # fmt: skip


def _on_one_line(text: str) -> str:
    if not text or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ValueError("must be on one line, and not empty")
    return text


def _word(text: str) -> str:
    # A line of #SBATCH is read by Slurm and by no shell; a blank would begin another option, and #
    # a comment.
    if not re.fullmatch(r"[\w.,:;@%+=/\[\](){}*?&|^~!-]+", text):
        raise ValueError(f"{text!r} has letters, such as blanks, that an option may not have")
    return text


Word = Annotated[str, AfterValidator(_word)]
Line = Annotated[str, AfterValidator(_on_one_line)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class SlurmOptions(PartSpec):
    """What a job of Slurm is given: by a site's profile, and by the command line over it."""

    nodes: Annotated[int, Field(ge=1)] = 1
    """How many nodes the Ray cluster has."""
    gpus_per_node: Annotated[int, Field(ge=0)] = 0
    """GPUs of each node."""
    cpus_per_task: Annotated[int, Field(ge=1)] = 2
    """Processors of each node."""
    mem_per_cpu: Word | None = None
    """Memory of each processor, as ``4G``."""
    time: Word | None = None
    """The time limit, as ``12:00:00`` or ``2-00``; before it the job saves and queues again."""
    partition: Word | None = None
    """The partition."""
    account: Word | None = None
    """The account."""
    qos: Word | None = None
    """The quality of service."""
    mail: Word | None = None
    """Where Slurm writes to at the end."""
    container: Line | None = None
    """A command that Ray and the launch run in, as ``apptainer exec --nv image.sif``."""
    env_setup: Annotated[tuple[Line, ...], Field(strict=False)] = ()
    """Lines of shell that run first, as ``module load cuda``: on the job's first node, whose
    environment the others are given."""
    sbatch: dict[Name, Word] = Field(default_factory=dict)
    """Any other option of Slurm."""
    signal_s: Annotated[int, Field(ge=10)] = 120
    """How many seconds before its end the job is told, to save and to queue again."""
    scratch: Annotated[Word, Field(max_length=28)] = "/tmp"
    """Where each node keeps a folder of the job's, as long as it runs. Short: with what Ray adds, a
    path of a socket has 107 bytes at most."""

    @property
    def directives(self) -> dict[str, str]:
        """What stands after ``#SBATCH --``, by option, but for what the script sets itself."""
        given = {
            "partition": self.partition, "account": self.account, "qos": self.qos,
            "time": self.time, "mem-per-cpu": self.mem_per_cpu, "mail-user": self.mail,
            "mail-type": "END,FAIL,REQUEUE" if self.mail else None,
            "gpus-per-node": str(self.gpus_per_node) if self.gpus_per_node else None,
        }  # fmt: skip
        return {key: value for key, value in given.items() if value is not None} | self.sbatch


def read_options(given: Mapping[str, Any], settings: list[str]) -> SlurmOptions:
    """Return the options `given`, over those of the site's profile; `settings` are KEY=VALUE.

    Raises `UserError` for a profile or an option that is not valid.
    """
    profile = Path(os.environ.get("SLEEPSWEEP_SLURM") or PROFILE).expanduser()
    site = _profile(profile)
    extra = dict(site.get("sbatch") or {}) | dict(_setting(setting) for setting in settings)
    told = {key: value for key, value in given.items() if value not in (None, [])}
    try:
        options = SlurmOptions.model_validate({**site, **told, "sbatch": extra})
    except ValidationError as error:
        raise UserError(_told(error, profile, told)) from error
    taken = sorted(set(options.sbatch) & set(OURS))
    if taken:
        raise UserError(f"--sbatch {taken[0]}: is set by the script itself, which depends on it.")
    return options


def _profile(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read as YAML ({error}).") from error
    if read is not None and not isinstance(read, dict):
        raise UserError(f"{path}: a profile is a YAML mapping of options, as `partition: gpu`.")
    return read or {}


def _setting(setting: str) -> tuple[str, str]:
    key, equals, value = setting.partition("=")
    if not (key and equals and value):
        raise UserError(f"--sbatch {setting}: give KEY=VALUE, as --sbatch constraint=a100.")
    return key.removeprefix("--"), value


def _told(error: ValidationError, profile: Path, given: Mapping[str, Any]) -> str:
    first = error.errors()[0]
    key = str(first["loc"][0])
    where = f"--{key.replace('_', '-')}" if key in given else f"{profile}, {key}"
    if key == "sbatch":
        where = f"--sbatch {first['loc'][1]} (or {profile})"
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key; allowed: {', '.join(SlurmOptions.model_fields)}."
    if first["type"] == "string_type":
        return f'{where}: YAML reads {first["input"]!r}; put it in quotes, as `time: "12:00:00"`.'
    cause = first.get("ctx", {}).get("error")
    return f"{where}: {cause or first['msg']} (got {first['input']!r})."
