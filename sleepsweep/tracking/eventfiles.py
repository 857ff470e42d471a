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
        self._events = _Events(folder / FOLDER)

    def stage_started(self, stage: Stage) -> None:
        """See `sleepsweep.experiment.run.Listener`."""

    def stage_told(self, stage: Stage, step: int, values: Mapping[str, float]) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        self._events.write({f"{stage}/{key}": value for key, value in values.items()}, step)

    def stage_ended(self, stage: Stage, found: Found) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        numbers = {
            f"{stage}/found/{key}": value
            for key, value in found.items()
            if not isinstance(value, str)
        }
        self._events.write(numbers, 0)


class SweepEvents:
    """An observer that writes each trial's rungs, a folder a trial, named as its run in MLflow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._trials: dict[str, _Events] = {}

    def trial_started(self, record: TrialRecord) -> None:
        """See `sleepsweep.observer.Observer`."""

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """See `sleepsweep.observer.Observer`."""
        values = {key: row[key] for key in METRICS if key in row and row[key] == row[key]}
        name = _name(record)
        events = self._trials.setdefault(name, _Events(self._folder / name))
        events.write(values, row["step"])
        if row["decision"] != "continue":
            self._close(name)

    def trial_failed(self, record: TrialRecord) -> None:
        """See `sleepsweep.observer.Observer`."""
        self._close(_name(record))

    def _close(self, name: str) -> None:
        if name in self._trials:
            self._trials.pop(name).close()


def _name(record: TrialRecord) -> str:
    return f"{record.order:03d}-{record.trial.id}"


class _Events:
    """The event file of this process in a folder, made when there is something to write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def write(self, values: Mapping[str, float], step: int) -> None:
        """Write values at a step; a process that is killed then loses none of them."""
        if self._writer is None:
            # Seconds, which only those who ask for event files should wait for.
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder))
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
