"""Files that describe experiments: a YAML of ours, a published JSON config, a folder of such."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sleepsweep.errors import UserError
from sleepsweep.experiment.setting import Setting, make_setting
from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.progress import Progress, silent
from sleepsweep.published import configs_in, is_published, read_published
from sleepsweep.spec.specfile import read_study, study_of

MANY = 10_000
"""Batches of a pass over recordings that are not known yet."""


@dataclass(frozen=True)
class ConfigFile:
    """An experiment's file, read and found valid, with what the command line changes.

    `spec` is the experiment; of a published config its numbers of steps are known only when the
    recordings are, by `at_data`. `notes` say what of a published config is done otherwise.
    """

    path: Path
    spec: ExperimentSpec
    out: Path
    notes: tuple[str, ...]
    at_data: Callable[[Callable[[int], int]], ExperimentSpec] | None = None

    def setting(self, progress: Progress = silent) -> Setting:
        """Prepare the recordings, telling the `progress`; see `make_setting`."""
        made = make_setting(self.spec, progress)
        if self.at_data is None:
            return made
        epochs = len(made.store.rows(made.trial.train))
        # Of the batches that are taken, which the command line may have changed.
        passes = max(1, epochs // made.spec.pretrain.batch_size)
        spec = self.at_data(lambda batch_size: passes)
        return make_setting(spec)


def read_configs(
    path: Path, *, preset: str | None = None, overrides: Mapping[str, Any] | None = None,
    data: Path | None = None, out: Path | None = None,
) -> list[ConfigFile]:  # fmt: skip
    """Return the experiments of the file or folder `path`; see `sleepsweep.spec.specfile.study_of`.

    All are read before any is run. Results go to `out`, of several into a folder each below it.
    Raises `UserError` for the first that is not valid, and for two of one name.
    """
    files = configs_in(path) if path.is_dir() else [path]
    read = [_read(file, preset, dict(overrides or {}), data) for file in files]
    seen: dict[str, Path] = {}
    for config in read:
        name = config.spec.name
        if name in seen:
            raise UserError(
                f"{config.path}: its name is {name}, as that of {seen[name]}: one would write over "
                "the other. Give each a name of its own."
            )
        seen[name] = config.path
    if out is None:
        return read
    several = path.is_dir()
    return [replace(one, out=out / one.spec.name if several else out) for one in read]


def _read(
    path: Path, preset: str | None, overrides: dict[str, Any], data: Path | None
) -> ConfigFile:
    if not is_published(path):
        spec = read_study(ExperimentSpec, path, preset=preset, overrides=overrides, data=data)
        return ConfigFile(path, spec, Path("runs") / spec.name, ())
    if preset is not None:
        raise UserError(f"--preset {preset}: a published config has no presets; leave it out.")
    config = read_published(path)

    def at_data(batches: Callable[[int], int]) -> ExperimentSpec:
        tree = config.tree(batches)
        return study_of(ExperimentSpec, tree, path, overrides=overrides, data=data)

    # Of a length that refuses nothing which the recordings may allow.
    spec = at_data(lambda batch_size: MANY)
    out = Path(config.results_folder or "runs") / spec.name
    return ConfigFile(path, spec, out, tuple(config.notes), at_data)
