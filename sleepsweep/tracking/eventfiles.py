"""TensorBoard's event files, beside MLflow: ``tensorboard --logdir FOLDER/tensorboard``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sleepsweep.experiment.spec import Stage
from sleepsweep.experiment.stages import Found
from sleepsweep.folder.record import TrialRecord
from sleepsweep.tracking.runs import METRICS

FOLDER = "tensorboard"


class ExperimentEvents:
    """A listener that writes the checks of the experiment in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def stage_started(self, stage: Stage) -> None:
        """See `sleepsweep.experiment.run.Listener`."""

    def stage_told(self, stage: Stage, step: int, values: Mapping[str, float]) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        _write(self._folder, {f"{stage}/{key}": value for key, value in values.items()}, step)

    def stage_ended(self, stage: Stage, found: Found) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        numbers = {
            f"{stage}/found/{key}": value
            for key, value in found.items()
            if not isinstance(value, str)
        }
        _write(self._folder, numbers, 0)


class SweepEvents:
    """An observer that writes each trial's rungs, a folder a trial, named as its run in MLflow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def trial_started(self, record: TrialRecord) -> None:
        """See `sleepsweep.sweep.Observer`."""

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """See `sleepsweep.sweep.Observer`."""
        values = {key: row[key] for key in METRICS if key in row and row[key] == row[key]}
        _write(self._folder / f"{record.order:03d}-{record.trial.id}", values, row["step"])

    def trial_failed(self, record: TrialRecord) -> None:
        """See `sleepsweep.sweep.Observer`."""


def _write(folder: Path, values: Mapping[str, float], step: int) -> None:
    # Seconds, which only those who ask for event files should wait for. A file a call: a process
    # that is killed loses nothing, and TensorBoard reads all files of a folder as one.
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for name, value in values.items():
            writer.add_scalar(name, value, step)
