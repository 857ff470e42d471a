"""The folder of a sweep: what was asked, and every trial's rungs as they came in.

    sweep.json             the spec as it was run, who is in which part of each split, versions
    trials/ID/trial.json   a trial's spec, its place in the order, what Optuna suggested
    trials/ID/rungs.jsonl  a line a rung: metrics, decision, confusion matrices
    trials/ID/checkpoint.pt, error.txt
    trials/ID/system.jsonl what the trial took of its machine, where the spec asks for it
    log.txt                what its launches did, and when
    embeddings/ID.npz      validation epochs as the best trial and the baseline embed them
    pareto.csv             of several objectives: the trials that none of their block beats in all
    trials.parquet, subjects.parquet, report/, mlflow.db, mlflow-artifacts/, ray/

It is the sweep's memory: a launch into a folder continues from these files alone.
"""

import json
import shlex
import shutil
import sys
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sleepsweep.errors import UserError
from sleepsweep.folder.changes import differences
from sleepsweep.folder.lock import SweepLock
from sleepsweep.folder.log import SweepLog
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.trialfiles import TrialFiles
from sleepsweep.replacing import replacing
from sleepsweep.results import EMBEDDINGS

MANIFEST = ("id", "spec", "study", "provenance", "data_hash", "test_subjects", "splits")
# What must be as it was when a sweep is continued.
SAME = {
    "the recordings": "data_hash", "the test subjects": "test_subjects", "the splits": "splits"
}  # fmt: skip
OPENED, EXTENDED = "test_opened", "extended"
"""Keys of ``sweep.json``: when the test subjects were opened, when trials were added, and how."""


@dataclass(frozen=True)
class SweepFolder:
    """Reads and writes one sweep's folder; observes a running sweep to record it."""

    path: Path

    @property
    def manifest_path(self) -> Path:
        """The file that makes a folder a sweep's folder."""
        return self.path / "sweep.json"

    def trial(self, trial_id: str) -> TrialFiles:
        """The files of one trial."""
        return TrialFiles(self.path / "trials" / trial_id)

    def trials(self) -> list[TrialFiles]:
        """The files of every trial that was begun."""
        return [TrialFiles(spec.parent) for spec in (self.path / "trials").glob("*/trial.json")]

    def embeddings_path(self, trial_id: str) -> Path:
        """Where the report's embeddings of a trial are kept."""
        return self.path / EMBEDDINGS / f"{trial_id}.npz"

    @property
    def log(self) -> SweepLog:
        """What its launches write down."""
        return SweepLog(self.path / "log.txt")

    @property
    def lock(self) -> SweepLock:
        """Which launch is running the sweep, if any."""
        return SweepLock(self.path)

    def locked(self) -> AbstractContextManager[None]:
        """Make the folder and hold it for one launch; see `SweepLock.held`."""
        return self.lock.held()

    def total_trials(self, asked: int) -> int:
        """How many trials are drawn for a launch that asks for so many: `extend` may have added."""
        if not self.manifest_path.exists():
            return asked
        manifest = self.read_manifest()
        before = [entry["from"] for entry in manifest.get(EXTENDED, [])]
        return int(manifest["spec"]["search"]["trials"]) if asked in before else asked

    def extend(self, total: int, *, planned: int) -> None:
        """Write down that `total` trials are drawn from now on, `planned` with the designed ones.

        The entry says when, by which command, and how many were drawn before.
        """
        manifest = self.read_manifest()
        search = manifest["spec"]["search"]
        entry = {"from": search["trials"], "to": total, **now()}
        search["trials"] = total
        manifest["study"]["planned_trials"] = planned
        manifest[EXTENDED] = [*manifest.get(EXTENDED, []), entry]
        self._write(manifest)

    def check_usable(self, spec: dict[str, Any], *, fresh: bool) -> None:
        """Raise `UserError` unless a launch of `spec` may write here; changes nothing."""
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path}: is a file; give a folder with --out.")
        if self.manifest_path.exists():
            before = {} if fresh else self.read_manifest()["spec"]
            changed = [] if fresh else differences(before, spec)
            more = len(changed) == 1 and spec["search"]["trials"] - before["search"]["trials"]
            if more > 0:
                raise UserError(
                    f"{self.path}: holds this sweep with {before['search']['trials']} drawn trials "
                    f"instead of {spec['search']['trials']}; sleepsweep extend {self.path} "
                    f"--trials {more} adds the others and keeps what was run."
                )
            if changed:
                raise UserError(
                    f"{self.path}: holds a sweep of another search space. Changed: "
                    f"{'; '.join(changed[:5])}. Use another --out, or --fresh to start over "
                    "(deletes the sweep that is there)."
                )
        elif self.path.exists() and any(child.name != ".lock" for child in self.path.iterdir()):
            raise UserError(f"{self.path}: is not empty and holds no sweep; give another --out.")

    def begin(self, manifest: dict[str, Any], *, fresh: bool) -> None:
        """Write ``sweep.json``, or continue the sweep that is there.

        `fresh` deletes that sweep first. Raises `UserError` when its data or its splits are others
        by now: its test subjects could then be trained on.
        """
        opened: dict[str, Any] = {}
        if self.manifest_path.exists() and fresh:
            # A new start does not close what was opened: the test subjects stay the same people.
            opened = self._opened()
            self._clear()
        if not self.manifest_path.exists():
            self._write({"id": uuid.uuid4().hex, **manifest, **opened})
            return
        before = self.read_manifest()
        for what, key in SAME.items():
            if before[key] != manifest[key]:
                raise UserError(
                    f"{self.path}: {what} have changed since this sweep began. Put them back, "
                    "use another --out, or --fresh to start over (deletes the sweep that is there)."
                )
        for trial in self.trials():
            trial.mend()

    def set_planned(self, trials: int) -> None:
        """Correct the number of planned trials."""
        manifest = self.read_manifest()
        manifest["study"]["planned_trials"] = trials
        self._write(manifest)

    def _opened(self) -> dict[str, Any]:
        try:
            manifest = json.loads(self.manifest_path.read_text())
        except json.JSONDecodeError:
            return {}  # a damaged sweep, which is about to be deleted
        return {key: value for key, value in manifest.items() if key == OPENED}

    def to_go_on(self) -> str:
        """The command that continues the sweep: the one that launched it, but never afresh."""
        words = shlex.split(self.read_manifest()["study"]["command"])
        return shlex.join(word for word in words if word != "--fresh")

    def log_test_opened(self) -> None:
        """Write down that the test subjects are opened now, and by which command."""
        manifest = self.read_manifest()
        manifest[OPENED] = [*manifest.get(OPENED, []), now()]
        self._write(manifest)

    def _write(self, manifest: dict[str, Any]) -> None:
        with replacing(self.manifest_path) as partial:
            partial.write_text(json.dumps(manifest, indent=1))

    def _clear(self) -> None:
        for child in self.path.iterdir():
            if child.is_dir():
                shutil.rmtree(child)
            elif child.name != ".lock":
                child.unlink()

    def read_manifest(self) -> dict[str, Any]:
        """Return ``sweep.json``; `UserError` when the folder holds no sweep."""
        try:
            manifest: dict[str, Any] = json.loads(self.manifest_path.read_text())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UserError(f"{self.path}: holds no sweep (sweep.json is missing).") from error
        except json.JSONDecodeError as error:
            raise UserError(f"{self.manifest_path}: damaged ({error}).") from error
        missing = [key for key in MANIFEST if key not in manifest]
        if missing:
            raise UserError(f"{self.manifest_path}: damaged (no {', '.join(missing)}).")
        return manifest

    def records(self) -> list[TrialRecord]:
        """Return every recorded trial, in the order of the sweep."""
        return sorted((trial.read() for trial in self.trials()), key=lambda record: record.order)

    def trial_started(self, record: TrialRecord) -> None:
        """See `sleepsweep.sweep.Observer`."""
        self.trial(record.trial.id).begin(record)

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """See `sleepsweep.sweep.Observer`."""
        self.trial(record.trial.id).append(row)

    def trial_failed(self, record: TrialRecord) -> None:
        """See `sleepsweep.sweep.Observer`."""
        self.trial(record.trial.id).fail(record.error or "")


def happened(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """When trials were added, in words, and when the test subjects were opened."""
    extended = [
        f"{entry['time']}, from {entry['from']} to {entry['to']} drawn trials"
        for entry in manifest.get(EXTENDED, [])
    ]
    return {EXTENDED: extended, OPENED: [entry["time"] for entry in manifest.get(OPENED, [])]}


def command() -> str:
    """The command line that this process was started with, as it would be typed."""
    return shlex.join(["sleepsweep", *sys.argv[1:]])


def now() -> dict[str, str]:
    return {"time": datetime.now(UTC).isoformat(timespec="seconds"), "command": command()}
