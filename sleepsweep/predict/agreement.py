"""How a predicted hypnogram agrees with one that somebody has scored."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sleepsweep.data.edf.description import Description, HypnogramFileSpec, read_description
from sleepsweep.data.edf.header import read_header
from sleepsweep.data.edf.hypnogram import Hypnogram
from sleepsweep.errors import UserError
from sleepsweep.metrics import Confusion, confusion, summary
from sleepsweep.predict.prediction import Prediction
from sleepsweep.predict.statistics import sleep_statistics

Format = Literal["annotations", "table", "column"]
FORMATS: dict[str, Format] = {
    ".edf": "annotations", ".bdf": "annotations", ".csv": "table", ".tsv": "table",
    ".txt": "column",
}  # fmt: skip
"""How a hypnogram file is read whose name ends so, where no description says it."""


@dataclass(frozen=True)
class Agreement:
    """Predicted stages beside a reference's, both whole, (epoch,), each -1 where it is unknown.

    They are compared on the epochs whose stage both know. `source` is the reference's file.
    """

    predicted: NDArray[np.int8]
    reference: NDArray[np.int8]
    epoch_s: float
    source: str

    @cached_property
    def both(self) -> NDArray[np.bool_]:
        """Which epochs are compared, (epoch,)."""
        return (self.reference >= 0) & (self.predicted >= 0)

    @property
    def epochs(self) -> int:
        """How many epochs are compared."""
        return int(self.both.sum())

    @cached_property
    def matrix(self) -> Confusion:
        """The confusion matrix, (5, 5), rows the reference."""
        return confusion(self.reference[self.both], self.predicted[self.both])

    def measures(self) -> dict[str, float]:
        """Accuracy, macro-F1, κ and the F1 of each stage, in 0–1, by name; NaN where undefined."""
        return summary(self.matrix)

    def statistics(self) -> Mapping[str, dict[str, float]]:
        """The sleep statistics of the `predicted` and of the `reference` stages, each whole."""
        each = {"predicted": self.predicted, "reference": self.reference}
        return {name: sleep_statistics(stages, self.epoch_s) for name, stages in each.items()}


def read_reference(
    path: Path, night: Path, epoch_s: float, description: Path | None = None
) -> Hypnogram:
    """Read the hypnogram at `path` of the recording `night`.

    Its form is told by its ending, or by the keys `hypnogram` and `stages` of a description file.
    Raises `UserError` when it cannot be read, or is of another recording.
    """
    if description is not None:
        told = read_description(description)
    elif path.suffix.lower() in FORMATS:
        read_as = HypnogramFileSpec(format=FORMATS[path.suffix.lower()])
        told = Description(hypnogram=read_as)
    else:
        raise UserError(
            f"{path}: its name does not tell what hypnogram it is; known: {', '.join(FORMATS)}. "
            "Say by --description how it is read."
        )
    found = told.hypnogram.read(path, told.stages, epoch_s)
    header = read_header(night)
    found.check_belongs(epoch_s, header.duration_s, header.start)
    return found


def agreement_with(reference: Hypnogram, prediction: Prediction) -> Agreement:
    """Lay a prediction beside the reference, to compare where both know the stage.

    The prediction's epochs must begin where the reference's do (`Hypnogram.on`). Raises `UserError`
    where there is no such epoch.
    """
    night, stages = prediction.night, prediction.stages
    lasts_s = night.first_s + night.count * night.epoch_s
    first_s, scored = reference.on(night.epoch_s, lasts_s)
    if first_s != night.first_s or len(scored) != len(stages):
        raise ValueError(f"{night.path}: epochs from {night.first_s} s, those scored: {first_s} s")
    found = Agreement(stages, scored, night.epoch_s, reference.source)
    if not found.epochs:
        raise UserError(
            f"{reference.source}: scores no epoch of {night.path} that can be used. Give the "
            "hypnogram of this recording."
        )
    return found
