"""What the stages have in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from sleepsweep.errors import UserError
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.setting import Setting
from sleepsweep.experiment.spec import Stage
from sleepsweep.model import SUFFIX, Model
from sleepsweep.replacing import replacing, writing

Found = dict[str, float | str]
"""What a stage found: numbers and words by name."""

Tell = Callable[[Stage, int, Mapping[str, float]], None]
"""Is told of a stage's course: the stage, the optimiser step, values by name."""

StageRun = Callable[[Setting, ExperimentFolder, Tell], Found]

ENCODER, PROBE, FINETUNED = (f"{name}{SUFFIX}" for name in ("encoder", "probe", "finetuned"))
"""The models that stages write."""


def encoder_of(setting: Setting, folder: ExperimentFolder) -> nn.Module:
    """Return the pretrained encoder, or that with first weights where nothing is pretrained.

    Raises `UserError` where pretraining is a stage that has not been run.
    """
    if "pretrain" not in setting.spec.stages:
        return setting.first_encoder()
    needs(folder, "pretrain")
    return Model.load(folder.path / ENCODER, trust=True).encoder.to(setting.device)


def needs(folder: ExperimentFolder, stage: Stage) -> None:
    """Raise `UserError` unless a stage is done."""
    if stage not in folder.done:
        raise UserError(
            f"{folder.path}: the stage {stage} has not been run. Run it first (--stage {stage}), "
            "or leave out --stage to run all that are left."
        )


def write_course(checks: Sequence[Any], path: Path) -> None:
    """Write checks, which are dataclasses, as a table: a row a check."""
    table = pd.DataFrame([asdict(check) for check in checks])
    with writing(path), replacing(path) as partial:
        table.to_csv(partial, index=False, float_format="%.6g")
