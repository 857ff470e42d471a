"""The folder of an experiment: what was asked, how far it is, and what each stage wrote.

experiment.json      the spec, who is in which part of the split, which stages are done
encoder.safetensors  the encoder, after pretraining
probe.safetensors    the encoder with the linear probe
finetuned.safetensors  the network after fine-tuning
pretraining.pt       the state of pretraining, from which an interrupted one goes on
pretraining.csv, finetuning.csv   a row a check
latent/              measures and pictures of the latent space, embeddings
probe/, finetune/    the validation subjects' stages: predictions, tables, confusion matrix
test/probe/, test/finetune/       the same of the test subjects
index.html           all of it on one page
"""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sleepsweep.errors import UserError
from sleepsweep.experiment.spec import STAGES, ExperimentSpec, Stage
from sleepsweep.folder.changes import differences
from sleepsweep.folder.studyfolder import OPENED, StudyFolder, now

DONE = "done"

SAME = {"data_hash": "the recordings", "subjects": "the subjects of the split"}
# What may differ between two runs of an experiment, besides what is free in a sweep.
FREE = ("latent", "probe", "finetune", "stages", "question", "device")

AFTER: dict[Stage, tuple[Stage, ...]] = {
    "pretrain": STAGES[1:], "latent": (), "probe": ("test",), "finetune": ("test",), "test": ()
}  # fmt: skip
"""The stages that read what a stage writes: when it is repeated, they are not done any more."""

FILES: dict[Stage, tuple[str, ...]] = {
    "pretrain": ("encoder.safetensors", "pretraining.csv"),
    "latent": ("latent/*",),
    "probe": ("probe.safetensors", "probe/*"),
    "finetune": ("finetuned.safetensors", "finetuning.csv", "finetune/*"),
    "test": ("test/*/*",),
}
"""What each stage writes, besides the state of pretraining."""

OWN: dict[Stage, str] = {"latent": "latent", "probe": "probe", "finetune": "finetune"}
"""The section of the YAML that only one stage reads, and those after it."""


@dataclass(frozen=True)
class ExperimentFolder(StudyFolder):
    """Reads and writes one experiment's folder."""

    kind: ClassVar[str] = "experiment"
    manifest_name: ClassVar[str] = "experiment.json"
    keys: ClassVar[tuple[str, ...]] = ("id", "spec", "data_hash", "subjects", DONE, OPENED)

    def begin(self, spec: ExperimentSpec, facts: Mapping[str, Any], *, fresh: bool) -> None:
        """Write down an experiment and the `facts` of its data, or go on with the one that is here.

        Stages whose section of the YAML has changed are not done any more, nor are those after
        them; what else has changed is refused. `fresh` deletes what is there first, but for when
        the test subjects were opened.
        """
        self.check_own()
        if self.manifest_path.exists() and not fresh:
            self._go_on(self.read_manifest(), spec, facts)
            return
        opened: dict[str, Any] = {OPENED: []}
        if self.manifest_path.exists():
            opened |= self.opened()
        plain = spec.model_dump(mode="json")
        new = {"id": uuid.uuid4().hex, "spec": plain, **facts, DONE: {}, **opened}
        # Nothing is done any more before anything is deleted.
        self.write_manifest(new)
        self.clear()

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
        for stage in _stale(before["spec"], plain):
            self.undo(stage)
        # Last: after a kill in between, the change is seen again.
        self.write_manifest({**self.read_manifest(), "spec": plain})

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
        self.write_manifest(manifest)

    def undo(self, stage: Stage) -> None:
        """Write down that a stage, and those that read what it wrote, are not done any more.

        What they wrote goes: beside another network's results it would mislead.
        """
        manifest, stale = self.read_manifest(), (stage, *AFTER[stage])
        for gone in stale:
            manifest[DONE].pop(gone, None)
        self.write_manifest(manifest)
        for path in (path for gone in stale for path in files_of(self.path, gone)):
            path.unlink()


def _fixed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What of a spec an experiment must keep: what pretraining depends on."""
    kept = {key: value for key, value in spec.items() if key not in FREE}
    return {**kept, "pretrained": "pretrain" in spec["stages"]}


def _stale(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Stage]:
    """The stages whose section has changed, and the test where other classifiers are tested."""
    stale: list[Stage] = [stage for stage, key in OWN.items() if before.get(key) != now[key]]
    tested = [{"probe", "finetune"} & set(spec["stages"]) for spec in (before, now)]
    if tested[0] != tested[1]:
        stale.append("test")
    return stale


def files_of(folder: Path, stage: Stage) -> list[Path]:
    """The files that a stage writes, those that are there."""
    found = [path for pattern in FILES[stage] for path in folder.glob(pattern)]
    return sorted(path for path in found if path.is_file())
