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

import shlex
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sleepsweep.errors import UserError
from sleepsweep.folder.changes import differences
from sleepsweep.folder.log import SweepLog
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.studyfolder import JOBS, OPENED, StudyFolder, now
from sleepsweep.folder.trialfiles import TrialFiles

# What must be as it was when a sweep is continued.
SAME = {
    "the recordings": "data_hash", "the test subjects": "test_subjects", "the splits": "splits"
}  # fmt: skip
EXTENDED = "extended"
"""The key of ``sweep.json`` that says when trials were added, and how."""
CLUSTER = "--cluster"
"""The option of a launch that its address follows."""


@dataclass(frozen=True)
class SweepFolder(StudyFolder):
    """Reads and writes one sweep's folder; observes a running sweep to record it."""

    kind: ClassVar[str] = "sweep"
    manifest_name: ClassVar[str] = "sweep.json"
    keys: ClassVar[tuple[str, ...]] = (
        "id", "spec", "study", "provenance", "data_hash", "test_subjects", "splits"
    )  # fmt: skip

    def trial(self, trial_id: str) -> TrialFiles:
        """The files of one trial."""
        return TrialFiles(self.path / "trials" / trial_id)

    def trials(self) -> list[TrialFiles]:
        """The files of every trial that was begun."""
        return [TrialFiles(spec.parent) for spec in (self.path / "trials").glob("*/trial.json")]

    def task(self) -> int | None:
        """The pid of a task of Slurm that is running one of the trials, None if there is none."""
        holders = (trial.lock.holder() for trial in self.trials())
        return next((pid for pid in holders if pid is not None), None)

    def embeddings_path(self, trial_id: str) -> Path:
        """Where the report's embeddings of a trial are kept."""
        from sleepsweep.results import EMBEDDINGS  # with pandas, which takes time

        return self.path / EMBEDDINGS / f"{trial_id}.npz"

    @property
    def log(self) -> SweepLog:
        """What its launches write down."""
        return SweepLog(self.path / "log.txt")

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
        self.write_manifest(manifest)

    def check_usable(self, spec: dict[str, Any], *, fresh: bool) -> None:
        """Raise `UserError` unless a launch of `spec` may write here; changes nothing."""
        self.check_own()
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

    def begin(self, manifest: dict[str, Any], *, fresh: bool) -> None:
        """Write ``sweep.json``, or continue the sweep that is there.

        `fresh` deletes that sweep first. Raises `UserError` when its data or its splits are others
        by now: its test subjects could then be trained on.
        """
        opened: dict[str, Any] = {}
        if self.manifest_path.exists() and fresh:
            opened = self.opened()
            self.clear()
        if fresh or not self.manifest_path.exists():
            self.write_manifest({"id": uuid.uuid4().hex, **manifest, **opened})
            return
        self.check_same(manifest)
        for trial in self.trials():
            trial.mend()

    def check_same(self, manifest: Mapping[str, Any]) -> None:
        """Raise `UserError` where recordings, test subjects or splits are not as they were begun.

        Subjects that were set aside then could otherwise be trained on.
        """
        before = self.read_manifest()
        for what, key in SAME.items():
            if before[key] != manifest[key]:
                raise UserError(
                    f"{self.path}: {what} have changed since this sweep began. Put them back, "
                    "use another --out, or --fresh to start over (deletes the sweep that is there)."
                )

    def set_planned(self, trials: int) -> None:
        """Correct the number of planned trials."""
        manifest = self.read_manifest()
        manifest["study"]["planned_trials"] = trials
        self.write_manifest(manifest)

    def to_go_on(self) -> str:
        """The command that continues the sweep: the one that launched it, but never afresh.

        What a job of Slurm launched is submitted again: its cluster went with the job.
        """
        words = shlex.split(self.read_manifest()["study"]["command"])
        if CLUSTER in words and any((self.path / JOBS).glob("*.sbatch")):
            at = words.index(CLUSTER)
            given = [word for word in words[2:at] + words[at + 2 :] if word != "--track-later"]
            words = ["sleepsweep", "slurm", "submit", *given]
        return shlex.join(word for word in words if word != "--fresh")

    def records(self) -> list[TrialRecord]:
        """Return every recorded trial, in the order of the sweep."""
        return sorted((trial.read() for trial in self.trials()), key=lambda record: record.order)

    def trial_started(self, record: TrialRecord) -> None:
        """See `sleepsweep.observer.Observer`."""
        self.trial(record.trial.id).begin(record)

    def rung_reported(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """See `sleepsweep.observer.Observer`."""
        self.trial(record.trial.id).append(row)

    def trial_failed(self, record: TrialRecord) -> None:
        """See `sleepsweep.observer.Observer`."""
        self.trial(record.trial.id).fail(record.error or "")


def happened(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """When trials were added, in words, and when the test subjects were opened."""
    extended = [
        f"{entry['time']}, from {entry['from']} to {entry['to']} drawn trials"
        for entry in manifest.get(EXTENDED, [])
    ]
    return {EXTENDED: extended, OPENED: [entry["time"] for entry in manifest.get(OPENED, [])]}
