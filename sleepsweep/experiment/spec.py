"""The YAML of an experiment: a sweep's without what is searched, and what follows pretraining."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sleepsweep.augment import Signal, augmentation
from sleepsweep.data.source import DataSpec
from sleepsweep.experiment.policy import PolicySpec, as_entry
from sleepsweep.learn.finetune import FinetuneSpec
from sleepsweep.part import PartSpec, later
from sleepsweep.spec.pool import KeyedError
from sleepsweep.spec.studyspec import StudySpec
from sleepsweep.trial import MemberSpec

Stage = Literal["pretrain", "latent", "probe", "finetune", "test"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Picture = Literal["pca", "tsne", "umap"]

OF_A_SWEEP = "belongs to a sweep, which sleepsweep launch runs; remove it here"


class LatentSpec(PartSpec):
    """The YAML's ``latent``: which epochs of the validation subjects are looked at, and how."""

    fraction: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """The share of their epochs, evenly spread."""
    most_epochs: Annotated[int, Field(ge=10)] = 3000
    """At most so many."""
    clusters: Annotated[int, Field(ge=2)] = 5
    """Clusters of k-means."""
    pictures: Annotated[tuple[Picture, ...], Field(strict=False)] = get_args(Picture)
    """Planes that are drawn."""
    measures: bool = True
    """Whether measures are computed."""


class ExperimentSpec(StudySpec):
    """A single experiment, validated: what ``sleepsweep train`` is asked to do."""

    what: ClassVar[str] = "an experiment"
    elsewhere: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("augmentations", "search", "scheduler", "objective", "confirm", "resources"), OF_A_SWEEP
    )

    block: Annotated[int, Field(ge=0)] = 0
    """Which block's split is taken; the seed is ``seed`` plus its number, as in a sweep."""
    policy: PolicySpec = ()
    """Augmentations in the order in which they are applied, each with fixed values."""
    mix_partner: Literal["store", "batch"] = "store"
    """Where the other epoch of a mixture comes from: all training epochs, or the batch."""
    finetune: FinetuneSpec = FinetuneSpec()
    """Training with labels."""
    latent: LatentSpec = LatentSpec()
    """Measures and pictures of the latent space."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What is trained on; ``auto``: a GPU where there is one."""
    devices: Annotated[int, Field(ge=1, le=64)] = later(1)
    """How many of that kind share pretraining."""
    stages: Annotated[tuple[Stage, ...], Field(strict=False, min_length=1)] = STAGES
    """Which are run, always in this order; without pretrain the encoder keeps its first weights."""

    @field_validator("policy")
    @classmethod
    def _policy_fits(
        cls, policy: tuple[MemberSpec, ...], info: ValidationInfo
    ) -> tuple[MemberSpec, ...]:
        data = info.data.get("data") or DataSpec()
        for place, member in enumerate(policy):
            name, entry = as_entry(member)
            try:
                entry.check(augmentation(name), Signal(sfreq=data.sfreq), data.channels)
            except KeyedError as error:
                raise KeyedError(str(error), place, name, *error.path) from error
        return policy

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.split.selects_on_test:
            raise KeyedError(
                "as_published leaves nobody to test on and is for sweeps that are compared with "
                "the published study; give subject or file", "split", "protocol",
            )  # fmt: skip
        if self.block >= self.split.blocks:
            raise KeyedError(f"the split has the blocks 0 to {self.split.blocks - 1}", "block")
        if self.pretrain.batch_size % self.devices:
            raise KeyedError(
                f"pretrain.batch_size is {self.pretrain.batch_size}, which {self.devices} devices "
                "cannot share equally; give a multiple", "devices",
            )  # fmt: skip
        if self.devices > 1 and self.pretrain.batch_size < 2 * self.devices:
            raise KeyedError("fewer than two epochs of a batch for each device", "devices")
        if "test" in self.stages and not {"probe", "finetune"} & set(self.stages):
            raise KeyedError("the test needs a classifier: add probe or finetune", "stages")
        return self

    @property
    def ordered(self) -> tuple[Stage, ...]:
        """The stages in the order in which they are run."""
        return tuple(stage for stage in STAGES if stage in self.stages)
