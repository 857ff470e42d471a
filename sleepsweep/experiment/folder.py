"""The folder of an experiment: what was asked, how far it is, and what each stage wrote.

experiment.json      the spec, who is in which part of the split, which stages are done
encoder.pt           the encoder, after pretraining
probe.pt             the encoder with the linear probe
finetuned.pt         the network after fine-tuning
pretraining.pt       the state of pretraining, from which an interrupted one goes on
pretraining.csv, finetuning.csv   a row a check
latent/              measures and pictures of the latent space, embeddings
probe/, finetune/    the validation subjects' stages: predictions, tables, confusion matrix
test/probe/, test/finetune/       the same of the test subjects
index.html           all of it on one page
"""

import json
import math
import shutil
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sleepsweep.errors import UserError
from sleepsweep.experiment.spec import STAGES, ExperimentSpec, Stage
from sleepsweep.folder.changes import differences
from sleepsweep.folder.lock import SweepLock
from sleepsweep.folder.sweepfolder import OPENED, now
from sleepsweep.replacing import replacing

DONE = "done"

SAME = {"data_hash": "the recordings", "subjects": "the subjects of the split"}
# What may differ between two runs of an experiment, besides what is free in a sweep.
FREE = ("latent", "probe", "finetune", "stages", "question", "device")

AFTER: dict[Stage, tuple[Stage, ...]] = {
    "pretrain": STAGES[1:], "latent": (), "probe": ("test",), "finetune": ("test",), "test": ()
}  # fmt: skip
"""The stages that read what a stage writes: when it is repeated, they are not done any more."""

FILES: dict[Stage, tuple[str, ...]] = {
    "pretrain": ("encoder.pt", "pretraining.csv"),
    "latent": ("latent/*",),
    "probe": ("probe.pt", "probe/*"),
    "finetune": ("finetuned.pt", "finetuning.csv", "finetune/*"),
    "test": ("test/*/*",),
}
"""What each stage writes, besides the state of pretraining."""

OWN: dict[Stage, str] = {"latent": "latent", "probe": "probe", "finetune": "finetune"}
"""The section of the YAML that only one stage reads, and those after it."""


@dataclass(frozen=True)
class ExperimentFolder:
    """Reads and writes one experiment's folder."""

    path: Path

    @property
    def manifest_path(self) -> Path:
        """The file that makes a folder an experiment's folder."""
        return self.path / "experiment.json"

    def locked(self) -> AbstractContextManager[None]:
        """Make the folder and hold it for one run; see `SweepLock.held`.

        Raises `UserError` for a folder that holds something else: `--fresh` would delete it.
        """
        others = self.path.is_dir() and any(child.name != ".lock" for child in self.path.iterdir())
        if others and not self.manifest_path.exists():
            raise UserError(
                f"{self.path}: is not empty and holds no experiment; give another --out."
            )
        return SweepLock(self.path).held()

    def begin(self, spec: ExperimentSpec, facts: Mapping[str, Any], *, fresh: bool) -> None:
        """Write down an experiment and the `facts` of its data, or go on with the one that is here.

        Stages whose section of the YAML has changed are not done any more, nor are those after
        them; what else has changed is refused. `fresh` deletes what is there first, but for when
        the test subjects were opened.
        """
        opened: list[Any] = []
        if self.manifest_path.exists():
            before = self.read_manifest()
            opened = before.get(OPENED, [])
            if not fresh:
                self._go_on(before, spec, facts)
                return
            self._clear()
        plain = spec.model_dump(mode="json")
        self._write({"id": uuid.uuid4().hex, "spec": plain, **facts, DONE: {}, OPENED: opened})

    def _go_on(
        self, before: dict[str, Any], spec: ExperimentSpec, facts: Mapping[str, Any]
    ) -> None:
        plain = spec.model_dump(mode="json")
        changed = differences(_fixed(before["spec"]), _fixed(plain))
        others = [what for key, what in SAME.items() if before[key] != facts[key]]
        changed += [f"{what} have changed" for what in others]
        if changed:
            raise UserError(
                f"{self.path}: holds another experiment ({'; '.join(changed)}). Use another --out "
                "or name, or --fresh to start over (deletes what is there)."
            )
        stale = [stage for stage, key in OWN.items() if before["spec"].get(key) != plain[key]]
        self._write({**before, "spec": plain})
        for stage in stale:
            self.undo(stage)

    def read_manifest(self) -> dict[str, Any]:
        """Return ``experiment.json``; `UserError` when the folder holds no experiment."""
        try:
            manifest: dict[str, Any] = json.loads(self.manifest_path.read_text())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UserError(
                f"{self.path}: holds no experiment (experiment.json is missing)."
            ) from error
        except json.JSONDecodeError as error:
            raise UserError(f"{self.manifest_path}: damaged ({error}).") from error
        return manifest

    @property
    def done(self) -> dict[str, dict[str, Any]]:
        """What the stages that are done found: key values by stage."""
        done: dict[str, dict[str, Any]] = self.read_manifest()[DONE]
        return done

    def finish(self, stage: Stage, found: Mapping[str, Any]) -> None:
        """Write down that a stage is done, and what it found; what is no number is left out."""
        manifest = self.read_manifest()
        told = {k: v for k, v in found.items() if isinstance(v, str) or math.isfinite(v)}
        manifest[DONE][stage] = {**told, **now()}
        self._write(manifest)

    def undo(self, stage: Stage) -> None:
        """Write down that a stage, and those that read what it wrote, are not done any more."""
        manifest = self.read_manifest()
        for gone in (stage, *AFTER[stage]):
            manifest[DONE].pop(gone, None)
        self._write(manifest)

    def log_test_opened(self) -> None:
        """Write down that the test subjects are opened now, and by which command."""
        manifest = self.read_manifest()
        manifest[OPENED] = [*manifest[OPENED], now()]
        self._write(manifest)

    def _write(self, manifest: Mapping[str, Any]) -> None:
        with replacing(self.manifest_path) as partial:
            partial.write_text(json.dumps(manifest, indent=1))

    def _clear(self) -> None:
        for child in self.path.iterdir():
            if child.is_dir():
                shutil.rmtree(child)
            elif child.name != ".lock":
                child.unlink()


def _fixed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What of a spec an experiment must keep: what pretraining depends on."""
    kept = {key: value for key, value in spec.items() if key not in FREE}
    return {**kept, "pretrained": "pretrain" in spec["stages"]}


def files_of(folder: Path, stage: Stage) -> list[Path]:
    """The files that a stage writes, those that are there."""
    found = [path for pattern in FILES[stage] for path in folder.glob(pattern)]
    return sorted(path for path in found if path.is_file())
