"""The files of one trial: its spec, its rungs as they come in, its state, its error."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sleepsweep.errors import UserError
from sleepsweep.folder.lock import FolderLock
from sleepsweep.folder.record import TrialRecord
from sleepsweep.replacing import replacing
from sleepsweep.trial import TrialSpec


@dataclass(frozen=True)
class TrialFiles:
    """Reads and writes the files of a trial in the folder `path`; `sweepfolder` lists them."""

    path: Path

    @property
    def spec(self) -> Path:
        """The file that makes a folder a trial's folder."""
        return self.path / "trial.json"

    @property
    def rungs(self) -> Path:
        """Where its rungs are recorded, a line each."""
        return self.path / "rungs.jsonl"

    @property
    def checkpoint(self) -> Path:
        """Where its worker saves its state."""
        return self.path / "checkpoint.pt"

    @property
    def lock(self) -> FolderLock:
        """Which process is running it, where each trial has one of its own."""
        return FolderLock(self.path, "trial")

    @property
    def samples(self) -> Path:
        """Where its worker writes what it takes of the machine."""
        return self.path / "system.jsonl"

    @property
    def error(self) -> Path:
        """Where the traceback is of a trial that failed."""
        return self.path / "error.txt"

    def begin(self, record: TrialRecord) -> None:
        """Write what the trial is, so that a later launch continues it as it was drawn."""
        content = {
            "order": record.order,
            "kind": record.kind,
            "design": record.design,
            "suggestion": record.suggestion,
            "trial": record.trial.model_dump(mode="json"),
        }
        with replacing(self.spec) as partial:
            partial.write_text(json.dumps(content, indent=1))
        self.error.unlink(missing_ok=True)

    def append(self, row: dict[str, Any]) -> None:
        """Record a rung."""
        with self.rungs.open("a") as handle:
            handle.write(json.dumps(row) + "\n")

    def fail(self, error: str) -> None:
        """Record the traceback that the trial ended with."""
        self.error.write_text(error)

    def read(self) -> TrialRecord:
        """Return what is recorded; `UserError` where it cannot be read."""
        try:
            fields = json.loads(self.spec.read_text())
            trial = TrialSpec.model_validate(fields.pop("trial"))
            rows = [json.loads(line) for line in self._whole_lines()]
            record = TrialRecord(trial=trial, rows=rows, **fields)
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise UserError(
                f"{self.path}: damaged ({str(problem).splitlines()[0]}). Delete this folder, and "
                "launch the sweep again: its trial is then run anew."
            ) from problem
        record.error = self.error.read_text() if self.error.exists() else None
        return record

    def mend(self) -> None:
        """Take away half a line that a killed driver left; the checkpoint holds that rung."""
        if self.rungs.exists() and not (text := self.rungs.read_text()).endswith("\n"):
            self.rungs.write_text(text[: text.rfind("\n") + 1])

    def _whole_lines(self) -> list[str]:
        # What follows the last newline is still being written, or was when the driver was killed.
        return self.rungs.read_text().split("\n")[:-1] if self.rungs.exists() else []
