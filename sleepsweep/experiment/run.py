"""Runs the stages of an experiment that are left, one after the other."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sleepsweep.errors import UserError
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.page import write_page
from sleepsweep.experiment.setting import Setting
from sleepsweep.experiment.spec import Stage
from sleepsweep.experiment.stages import RUNS, Found
from sleepsweep.experiment.stages.pretrain import STATE


class Listener(Protocol):
    """Is told what an experiment does."""

    def stage_started(self, stage: Stage) -> None:
        """A stage begins."""

    def stage_told(self, stage: Stage, step: int, values: Mapping[str, float]) -> None:
        """A stage is at an optimiser step, where these values are."""

    def stage_ended(self, stage: Stage, found: Found) -> None:
        """A stage is done, and its files are written."""


def run_experiment(
    setting: Setting, folder: ExperimentFolder, listeners: Sequence[Listener], only: Stage | None
) -> bool:
    """Run what is left of the spec's stages, or `only` one, again if it is done.

    Returns False where pretraining diverged: nothing can be read from its encoder, and the stages
    after it are not run. Raises `UserError` for a stage whose forerunner has not been run.
    """
    check_stage(setting, only, fresh=False)
    if only is not None and only in folder.done:
        _undo(only, folder)
    write_page(folder)
    for stage in (only,) if only else setting.spec.ordered:
        if stage != "pretrain" and _diverged(folder):
            return False
        if stage not in folder.done:
            _run_stage(stage, setting, folder, listeners)
            write_page(folder)
    return not _diverged(folder)


def check_stage(setting: Setting, only: Stage | None, *, fresh: bool) -> None:
    """Raise `UserError` for a stage to run alone that cannot be, before anything is changed."""
    stages = setting.spec.ordered
    if only is not None and only not in stages:
        raise UserError(
            f"--stage {only}: is none of this experiment's stages, which are "
            f"{', '.join(stages)}. Add it to the key stages."
        )
    if only is not None and fresh and only != stages[0]:
        raise UserError(
            f"--stage {only} with --fresh: nothing would be there that it reads. Leave one out."
        )


def _diverged(folder: ExperimentFolder) -> bool:
    return folder.done.get("pretrain", {}).get("ended") == "diverged"


def _undo(stage: Stage, folder: ExperimentFolder) -> None:
    folder.undo(stage)
    if stage == "pretrain":
        (folder.path / STATE).unlink(missing_ok=True)


def _run_stage(
    stage: Stage, setting: Setting, folder: ExperimentFolder, listeners: Sequence[Listener]
) -> None:
    def tell(stage: Stage, step: int, values: Mapping[str, float]) -> None:
        for listener in listeners:
            listener.stage_told(stage, step, values)

    for listener in listeners:
        listener.stage_started(stage)
    found = RUNS[stage](setting, folder, tell)
    folder.finish(stage, found)
    for listener in listeners:
        listener.stage_ended(stage, found)
