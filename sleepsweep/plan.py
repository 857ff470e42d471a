"""What a launch will run: the store, the test subjects set aside, blocks and trials' slots."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sleepsweep
from sleepsweep.augment import augmentation
from sleepsweep.data.preparation import prepare
from sleepsweep.data.split import set_aside, split_hash, test_hash
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.studyfolder import command
from sleepsweep.folder.sweepfolder import SweepFolder, happened
from sleepsweep.folder.table import build_table
from sleepsweep.progress import Progress, silent
from sleepsweep.results import EMBEDDINGS, ResultsTable, StudyInfo
from sleepsweep.search.warmstart import NO_PAST, Past, past_of
from sleepsweep.space import Slot, Space, make_blocks
from sleepsweep.spec.sweepspec import SweepSpec

LIBRARIES = ("ray", "torch", "optuna", "numpy", "scikit-learn", "mlflow")


@dataclass(frozen=True)
class Plan:
    """A sweep that is ready to run: its space, its store without the test subjects, its slots."""

    spec: SweepSpec
    space: Space
    store: Store
    test: tuple[str, ...]
    slots: Sequence[Slot]
    past: Past = NO_PAST

    @property
    def categories(self) -> dict[str, str]:
        """The category of each augmentation in the pool, the placebo included."""
        return {name: augmentation(name).category for name in self.space.members}

    @property
    def title(self) -> str:
        """What stands above the display of its progress."""
        return self.spec.name

    @property
    def rungs(self) -> tuple[int, ...]:
        """The steps at which its trials report."""
        return self.spec.rungs

    def own(self, records: Sequence[TrialRecord]) -> list[TrialRecord]:
        """Return the records of this plan's trials: all of the folder's but its confirmations."""
        return [record for record in records if not record.confirms]

    def exam(self, folder: SweepFolder) -> Store | None:
        """The store of the test subjects, which no trial of a sweep is scored on: there is none."""
        return None

    def open_slots(self, records: Sequence[TrialRecord]) -> list[Slot]:
        """Return the slots left to run: drawn before, they keep the trial that they were given."""
        drawn = {record.order: record for record in records}
        return [
            replace(slot, trial=drawn[slot.order].trial) if slot.order in drawn else slot
            for slot in self.slots
            if slot.order not in drawn or not drawn[slot.order].is_finished
        ]

    def manifest(self) -> dict[str, Any]:
        """Return what ``sweep.json`` records of this plan."""
        study = StudyInfo(
            name=self.spec.name,
            question=self.spec.question,
            categories=self.categories,
            sizes=self.spec.augmentations.size,
            goal=self.spec.search.goal,
            sampler=self.spec.search.sampler_name,
            planned_trials=len(self.slots),
            steps=self.spec.pretrain.steps,
            settings=self.spec.settings,
            data=self.spec.data.root or self.spec.data.source,
            subjects=self.subject_counts(),
            command=command(),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            versions=_versions(),
        )
        return {
            "spec": self.spec.model_dump(mode="json"),
            "store": str(self.store.folder),
            "data_hash": self.store.data_hash,
            "test_subjects": list(self.test),
            "splits": self._splits(),
            "study": study.plain,
            "provenance": self._provenance(),
        }

    def _splits(self) -> list[dict[str, Any]]:
        return [
            {
                "block": block.index,
                "split": block.split_index,
                "hash": split_hash(block.split.train, block.labelled, block.split.validation),
                "train": list(block.split.train),
                "labelled": list(block.labelled),
                "validation": list(block.split.validation),
            }
            for block in self.space.blocks
        ]

    def subject_counts(self) -> dict[str, int]:
        """How many subjects there are in each part, in the first block."""
        first = self.space.blocks[0]
        counts = {"train": len(first.split.train), "validation": len(first.split.validation)}
        if self.spec.probe.label_fraction < 1:
            counts["labelled"] = len(first.labelled)
        return {**counts, "test": len(self.test)}

    def _provenance(self) -> dict[str, Any]:
        return {
            "test_hash": test_hash(self.test),
            "split_from": "seed" if self.spec.split.selects_on_test else "block",
            "stop_rule": self.spec.scheduler.name,
        }


def make_plan(spec: SweepSpec, progress: Progress = silent, past: Past = NO_PAST) -> Plan:
    """Prepare the data, telling the `progress`, and lay out the sweep.

    Its search starts from the `past`, but for trials that were scored on a test subject of its own.

    The test subjects are set aside first: the store of the plan withholds them, and neither a
    trial nor a worker ever has another one. Raises `UserError` for data that cannot be used.
    """
    everyone = prepare(spec.data, progress=progress)
    test = set_aside(everyone.nights, spec.split)
    store = everyone.withholding(test)
    blocks = make_blocks(spec, everyone.nights, test)
    fewest = min(len(store.rows(block.split.train)) for block in blocks)
    if spec.pretrain.batch_size > fewest:
        raise UserError(
            f"pretrain.batch_size is {spec.pretrain.batch_size}, but a block trains on {fewest} "
            "epochs only; lower it, or add recordings."
        )
    space = Space(spec, blocks, store.data_hash)
    return Plan(spec, space, store, test, space.slots(), past.without(test))


def read_table(folder: Path) -> ResultsTable:
    """Return the results table of the sweep in `folder`, from its recorded trials.

    Raises `UserError` when the folder holds no sweep, or none of its trials has reported yet.
    """
    sweep = SweepFolder(folder)
    manifest = sweep.read_manifest()
    study = StudyInfo.of_plain({**manifest["study"], **happened(manifest)})
    table = build_table(sweep.records(), study, manifest["provenance"])
    return replace(table, embeddings=sweep.path / EMBEDDINGS)


def read_past(spec: SweepSpec, own: Path | None) -> Past:
    """Return what ``search.warm_start`` knows of the spec's space; nothing without that key.

    Raises `UserError` when there is no sweep and no table, or when it is the sweep's `own` folder.
    """
    source = spec.search.warm_start
    if source is None:
        return NO_PAST
    path = Path(source)
    if own is not None and path.resolve() == own.resolve():
        raise UserError(
            f"search.warm_start: {source} is this sweep's own folder, which is continued by "
            "launching it again. Remove the key, or give another folder with --out."
        )
    try:
        is_sweep = SweepFolder(path).manifest_path.exists()
        table = read_table(path) if is_sweep else ResultsTable.read(path)
    except UserError as error:
        raise UserError(f"search.warm_start: {error}") from error
    return past_of(table, spec, source)


def _versions() -> dict[str, str]:
    own = {"sleepsweep": sleepsweep.__version__, "python": platform.python_version()}
    return own | {name: version(name) for name in LIBRARIES}
