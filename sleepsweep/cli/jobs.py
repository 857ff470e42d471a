"""What the commands on Slurm hand to it: scripts for a search space, from a command's options."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sleepsweep.cli.reading import as_extended, read_space
from sleepsweep.errors import UserError

if TYPE_CHECKING:
    from sleepsweep.cluster.slurm.jobs import Jobs
    from sleepsweep.cluster.slurm.options import SlurmOptions
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.plan import Plan
    from sleepsweep.spec.sweepspec import SweepSpec

HANDED_ON = ("data", "settings", "preset", "trials", "seed", "tracking_uri")
"""The arguments of a command that it hands on to the launch."""


def slurm_options(given: dict[str, Any]) -> "SlurmOptions":
    """The options of Slurm among the arguments of a command, over those of the site's profile."""
    from sleepsweep.cluster.slurm.options import SlurmOptions, read_options

    fields = set(SlurmOptions.model_fields) - {"sbatch"}
    asked = {key: value for key, value in given.items() if key in fields}
    return read_options(asked, given["sbatch"] or [])


def files_of(spaces: Sequence[Path]) -> list[Path]:
    """The search spaces among files and folders of them; `UserError` where there are none."""
    found = [
        path
        for space in spaces
        for path in (sorted(space.glob("*.y*ml")) if space.is_dir() else [space])
    ]
    if not found:
        raise UserError(f"{spaces[0]}: holds no search space (*.yaml).")
    return found


@dataclass(frozen=True)
class Submission:
    """A search space and what a command was `given` for it; the space must be valid."""

    space: Path
    out: Path | None
    given: dict[str, Any]

    @cached_property
    def spec(self) -> "SweepSpec":
        """The search space with what the options change; `UserError` where it is not valid."""
        return read_space(self.space, **{key: self.given[key] for key in HANDED_ON})

    @cached_property
    def folder(self) -> "SweepFolder":
        """The sweep's folder; `UserError` where Slurm could not take its name."""
        from sleepsweep.folder.sweepfolder import SweepFolder

        path = (self.out or Path("runs") / self.spec.name).resolve()
        if re.search(r"[^\w./@+=:,~-]", str(path)):
            raise UserError(
                f"{path}: holds blanks or other letters that a line of #SBATCH may not have; give "
                "a plain folder with --out."
            )
        return SweepFolder(path)

    @property
    def jobs(self) -> "Jobs":
        """The jobs of the sweep."""
        from sleepsweep.cluster.slurm.jobs import Jobs

        return Jobs(self.folder.path)

    def on_ray(self) -> str:
        """The script of the job that runs the sweep on a Ray cluster over its nodes."""
        from sleepsweep.cluster.slurm.script import render_ray

        options = slurm_options(self.given)
        launch = self._launch(options)
        return render_ray(options, self.folder.path, launch, self.jobs.log_pattern)

    def check_on_ray(self) -> None:
        """Raise `UserError` for what would keep such a job from running; writes nothing."""
        slurm_options(self.given)
        spec = as_extended(self.spec, self.folder)
        self.folder.check_usable(spec.model_dump(mode="json"), fresh=False)

    @cached_property
    def plan(self) -> "Plan":
        """What a launch would run; prepares the recordings. `UserError` where tasks cannot."""
        from sleepsweep.plan import make_plan
        from sleepsweep.tasks import check_independent

        check_independent(self.spec)
        return make_plan(as_extended(self.spec, self.folder))

    def check_array(self) -> None:
        """Raise `UserError` for what would keep an array's tasks from running; writes nothing."""
        self._one_trial()
        self.folder.check_usable(self.plan.manifest()["spec"], fresh=False)

    def begin(self) -> None:
        """Write down in the sweep's folder what the tasks of an array are to run."""
        manifest = self.plan.manifest()
        with self.folder.locked():
            self.folder.begin(manifest, fresh=False)

    def array(self) -> str | None:
        """The script of the array with a task for each open trial; None where none is open."""
        from sleepsweep.cluster.slurm.script import render_plain
        from sleepsweep.tasks import open_tasks

        tasks = open_tasks(self.plan, self.folder)
        if not tasks:
            return None
        options = self._one_trial()
        words = [*_sleepsweep(options), "slurm", "task", str(self.folder.path)]
        return render_plain(options, self.folder.path, words, self.jobs.task_log_pattern, tasks)

    def end(self) -> str:
        """The script of the job that, after all others, runs what is left and writes the report."""
        from sleepsweep.cluster.slurm.script import render_plain

        options = self._one_trial()
        others = [str(job.number) for job in self.jobs.all() if not job.has_ended]
        if others:
            after = {**options.sbatch, "dependency": f"afterany:{':'.join(others)}"}
            options = options.model_copy(update={"sbatch": after})
        launch = self._launch(options)
        return render_plain(options, self.folder.path, launch, self.jobs.log_pattern)

    def _one_trial(self) -> "SlurmOptions":
        resources = self.spec.resources
        asked = {
            "nodes": 1,
            "cpus_per_task": self.given["cpus_per_task"] or resources.cpus_per_trial,
            "gpus_per_node": 1 if resources.gpus_per_trial else 0,
        }
        return slurm_options({**self.given, **asked})

    def _launch(self, options: "SlurmOptions") -> list[str]:
        words = [*_sleepsweep(options), "launch", str(self.space.resolve())]
        words += ["--out", str(self.folder.path), "--track-later"]
        return [*words, *_typed({key: self.given[key] for key in HANDED_ON})]


def check_apart(submissions: Sequence[Submission]) -> None:
    """Raise `UserError` where two search spaces would fill one folder."""
    spaces: dict[Path, Path] = {}
    for made in submissions:
        other = spaces.setdefault(made.folder.path, made.space)
        if other != made.space:
            raise UserError(
                f"{other} and {made.space} have the same name, and would fill one folder "
                f"({made.folder.path}); change the name of one."
            )


def _sleepsweep(options: "SlurmOptions") -> list[str]:
    # A container has a Python of its own.
    return ["sleepsweep"] if options.container else [sys.executable, "-m", "sleepsweep"]


def _typed(given: dict[str, Any]) -> Iterator[str]:
    """The options of a launch as they would be typed; paths are absolute, as jobs run elsewhere."""
    names = {"settings": "--set", "tracking_uri": "--tracking-uri"}
    for key, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                yield names.get(key, f"--{key}")
                yield str(each.resolve() if isinstance(each, Path) else each)
