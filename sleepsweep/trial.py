"""What a trial is: a policy in a block, with everything that can change its result."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from sleepsweep.augment import Member, Policy, augmentation
from sleepsweep.data.split import split_hash
from sleepsweep.learn.encoderspec import EncoderSpec
from sleepsweep.learn.pretrainspec import PretrainSpec
from sleepsweep.learn.probespec import ProbeSpec
from sleepsweep.part import PartSpec, later
from sleepsweep.spec.ranges import Scalar

Subjects = Annotated[tuple[str, ...], Field(strict=False)]


class MemberSpec(PartSpec):
    """One augmentation of a drawn policy, with the values it was drawn with."""

    name: str
    p: float
    severity: float | None = None
    parameters: dict[str, Scalar] = Field(default_factory=dict)

    def build(self) -> Member:
        """Return the augmentation itself with its probability."""
        kind = augmentation(self.name)
        if self.severity is not None:
            return Member(kind.at_severity(self.severity), self.p)
        return Member(kind(**self.parameters), self.p)

    def __str__(self) -> str:
        drawn = {} if self.severity is None else {"severity": self.severity}
        values = {**drawn, **self.parameters, "p": self.p}
        return f"{self.name}({', '.join(f'{key}={value}' for key, value in values.items())})"


def text_of(policy: tuple[MemberSpec, ...], choose: int | None) -> str:
    """The canonical text of a policy of whose members an epoch is offered `choose`."""
    members = " + ".join(str(member) for member in policy) or "none"
    return members if choose is None else f"{choose} of {members}"


PARTS: dict[str, type[PartSpec]] = {
    "encoder": EncoderSpec, "pretrain": PretrainSpec, "probe": ProbeSpec
}  # fmt: skip
"""The sections of the YAML whose scalars may be searched."""


@dataclass(frozen=True)
class Parts:
    """The encoder, the pretraining and the probe of one trial."""

    encoder: EncoderSpec
    pretrain: PretrainSpec
    probe: ProbeSpec

    def with_values(self, values: Mapping[str, Scalar]) -> Self:
        """Return the parts with `values`, by dotted path, in the place of their own.

        Raises `pydantic.ValidationError` for a value that its part refuses.
        """
        changed: dict[str, Any] = {}
        for section, kind in PARTS.items():
            drawn = {path.partition(".")[2]: value for path, value in values.items()
                     if path.startswith(f"{section}.")}  # fmt: skip
            changed[section] = kind.model_validate({**dict(getattr(self, section)), **drawn})
        return replace(self, **changed)

    def value(self, path: str) -> Any:
        """Return the scalar at a dotted path."""
        section, key = path.split(".")
        return getattr(getattr(self, section), key)


class TrialSpec(PartSpec):
    """Everything that can change a trial's result, and nothing else: its hash is its identity.

    `labelled` are the subjects of `train` whose labels the probe is fitted on. A confirmation is
    scored on the `test` subjects, every other trial on those of `validation`; the published study
    calls these its test, which `selects_on_test` says.
    A `baseline` (`sleepsweep.baselines`) has no policy and is scored once.
    """

    policy: Annotated[tuple[MemberSpec, ...], Field(strict=False)]
    mix_partner: Literal["store", "batch"]
    choose: int | None = None
    block: int
    split: int
    seed: int
    train: Subjects
    labelled: Subjects
    validation: Subjects
    test: Subjects = later(())
    selects_on_test: bool = later(False)
    encoder: EncoderSpec
    pretrain: PretrainSpec
    probe: ProbeSpec
    rungs: Annotated[tuple[int, ...], Field(strict=False)]
    data_hash: str
    baseline: str | None = later(None)

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits that name this trial on every machine."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def changed(self, **fields: Any) -> Self:
        """Return the trial with other fields; a plain copy would keep the identity it has told."""
        return type(self).model_validate({**self.model_dump(), **fields})

    @property
    def parts(self) -> Parts:
        """What the trial is made of besides its policy."""
        return Parts(self.encoder, self.pretrain, self.probe)

    @property
    def scored(self) -> tuple[str, ...]:
        """The subjects whose epochs are staged and compared with the experts' stages."""
        return self.test or self.validation

    @property
    def selected_on(self) -> str:
        """The part of the subjects that `scored` is, as in the results table."""
        return "test" if self.test or self.selects_on_test else "validation"

    @property
    def split_hash(self) -> str:
        """Twelve hexadecimal digits that name the subjects of this trial, each in its role."""
        return split_hash(self.train, self.labelled, self.validation)

    @property
    def policy_text(self) -> str:
        """The policy's canonical text; ``none`` for the empty one, a baseline's name."""
        if self.baseline is not None:
            return f"baseline: {self.baseline}"
        return text_of(self.policy, self.choose)

    @property
    def trains(self) -> bool:
        """Whether the encoder is trained at all."""
        return self.baseline in (None, "with_labels")

    @property
    def size(self) -> int:
        """How many augmentations the policy has."""
        return len(self.policy)

    def build_policy(self) -> Policy:
        """Return the policy as a callable."""
        return Policy(tuple(member.build() for member in self.policy), self.choose)
