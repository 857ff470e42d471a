"""Who is trained on, validated on and tested on: splits by subject, never by recording.

A split is drawn from names and numbers of nights alone, so that drawing one opens nobody's data.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticUseDefault

from sleepsweep.data.split_file import ListedSplits, check_people, read_split_file
from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec, only
from sleepsweep.seeds import numpy_generator

FEWEST_SUBJECTS = 3
VALIDATION = 0.2  # the share, where neither a share nor a number of folds is given
BLOCKS = 3  # where neither blocks nor folds nor a split file are given


class LeakError(RuntimeError):
    """Data were about to reach a part of the study that must not see them: always a bug."""


# Defaults that depend on the keys above them.
def _read(given: dict[str, Any]) -> ListedSplits | None:
    if given.get("protocol") != "file" or given.get("file") is None:
        return None
    return read_split_file(Path(given["file"]))


def _number_of_blocks(given: dict[str, Any]) -> int:
    if given.get("listed") is not None:
        return len(given["listed"].blocks)
    return given.get("folds") or BLOCKS


def _null_is_default(value: Any) -> Any:
    if value is None:
        raise PydanticUseDefault
    return value


class SplitSpec(PartSpec):
    """The YAML's ``split``: how subjects are divided, once a study and once a block.

    Subjects with as many nights are shared out evenly over the parts, to within one.

    The protocol ``as_published`` repeats the published study (Gupta 2025), whose seed draws the
    split and whose test subjects stop and choose runs: each block draws the share `test`, all
    others train, and nobody is set aside. It is there to be compared with; its table says that its
    trials are ``selected_on`` test.
    """

    protocol: Annotated[str, only("subject", "file", "as_published")] = "subject"
    """Drawn by subject, written down in a file that replaces all other keys, or as published."""
    file: str | None = None
    """The path of a split file, from the current folder."""
    test: float = Field(default=0.15, gt=0, lt=1)
    """The share of the subjects that is set aside, once a study."""
    validation: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The share of the others that a block validates on; null: 0.2, where there are no folds."""
    folds: Annotated[int, Field(ge=2)] | None = None
    """Cut the others into so many parts instead, each of them validated on in turn."""
    listed: ListedSplits | None = Field(default_factory=_read)
    """What the split file said when the sweep began, as `sweep.json` keeps it; not for you."""
    blocks: Annotated[int, BeforeValidator(_null_is_default)] = Field(
        default_factory=_number_of_blocks, ge=1
    )
    """How many (split, seed) pairs; by default one for each fold, or 3."""
    resplit: bool = True
    """Each block draws train and validation anew; false: one split, only seeds differ."""
    seed: int = Field(default=0, ge=0)
    """Of these draws; the sweep's own never changes who is trained on."""

    @model_validator(mode="after")
    def _agrees(self) -> "SplitSpec":
        if self.folds is not None and self.validation is not None:
            raise ValueError(
                "folds and validation exclude each other; give one of them, or set one to null"
            )
        if self.protocol == "file":
            self._agrees_with_the_file()
        elif self.selects_on_test and self._changed("validation", "folds", "resplit"):
            raise ValueError(
                "protocol as_published validates on its test subjects, drawn anew by each seed; "
                "remove validation, folds and resplit"
            )
        elif self.file is not None or self.listed is not None:
            raise ValueError(
                "file and listed are read by protocol file only; set that, or remove them"
            )
        return self

    @property
    def selects_on_test(self) -> bool:
        """Whether the subjects that stop and choose trials are those that are called its test."""
        return self.protocol == "as_published"

    def _changed(self, *keys: str) -> list[str]:
        fields = type(self).model_fields
        return [key for key in keys if getattr(self, key) != fields[key].default]

    def _agrees_with_the_file(self) -> None:
        if self.file is None or self.listed is None:
            raise ValueError("protocol file needs the path of a split file in the key file")
        held = len(self.listed.blocks)
        if self.blocks != held:
            raise ValueError(
                f"blocks is {self.blocks}, but {self.file} lists {held}; leave blocks out or null"
            )
        extra = self._changed("test", "validation", "folds", "resplit", "seed")
        if extra:
            raise ValueError(
                f"protocol file takes everything from its file; remove {', '.join(extra)}"
            )


@dataclass(frozen=True)
class Split:
    """Names of the subjects of each part, sorted. Raises `LeakError` when parts share a subject."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        everyone = [*self.train, *self.validation, *self.test]
        twice = sorted({subject for subject in everyone if everyone.count(subject) > 1})
        if twice:
            raise LeakError(f"subjects in more than one place of a split: {', '.join(twice)}")
        for part in ("train", "validation", "test"):
            object.__setattr__(self, part, tuple(sorted(getattr(self, part))))


def split_hash(train: Sequence[str], labelled: Sequence[str], validation: Sequence[str]) -> str:
    """Twelve hexadecimal digits that name who is trained on, whose labels are read, who validates.

    `labelled` are those of `train` on whose labels a probe is fitted.
    """
    text = json.dumps([train, labelled, validation])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def test_hash(test: Sequence[str]) -> str:
    """Twelve hexadecimal digits that name who is set aside for the test."""
    return hashlib.sha256(json.dumps(test).encode()).hexdigest()[:12]


def set_aside(nights: Mapping[str, int], spec: SplitSpec) -> tuple[str, ...]:
    """Return the test subjects of a study, sorted: at least 1, and 2 are always left over.

    `nights` maps each subject to its number of nights. The draw depends on these and on the share
    alone, and not on any seed: another seed must not train on the people whom the first one kept
    for its test. Nobody is set aside where trials are selected on their test subjects. Raises
    `UserError` when there are fewer than 3 subjects, or when the split file does not name exactly
    these.
    """
    names = sorted(nights)
    if len(names) < FEWEST_SUBJECTS:
        raise UserError(
            f"{len(names)} subjects found ({', '.join(names) or 'none'}), at least "
            f"{FEWEST_SUBJECTS} are needed: one each to train, validate and test on. Add "
            "recordings of more subjects; two nights of one person count as one subject."
        )
    if spec.selects_on_test:
        return ()
    if spec.file is not None and spec.listed is not None:
        check_people(Path(spec.file), spec.listed, names)
        return tuple(sorted(spec.listed.test))
    return _drawn("test subjects", nights, _share(spec.test, len(names), leave=2))


def draw_split(
    nights: Mapping[str, int], test: Collection[str], spec: SplitSpec, index: int
) -> Split:
    """Return the split of block `index`: train and validation among those that are not in `test`.

    A share is drawn anew for each block. Of K folds, block b validates on fold b mod K; after each
    K blocks the folds are drawn anew. With ``resplit: false`` every block gets the split of block
    0. The published protocol validates on the share `test` of everyone. Raises `UserError` when
    too few subjects are left.
    """
    if spec.listed is not None:
        block = spec.listed.blocks[index]
        return Split(train=block.train, validation=block.validation, test=tuple(test))
    rest = {name: count for name, count in nights.items() if name not in test}
    fewest = spec.folds or FEWEST_SUBJECTS - 1
    if len(rest) < fewest:
        raise UserError(
            f"{len(nights)} subjects, {len(set(test))} of them set aside for the test: "
            f"{len(rest)} left, at least {fewest} are needed. Lower split.test"
            f"{' or split.folds' if spec.folds else ''}, or add subjects."
        )
    place = index if spec.resplit else 0
    if spec.folds is None:
        share = spec.test if spec.selects_on_test else spec.validation or VALIDATION
        count = _share(share, len(rest), leave=1)
        validation = _drawn("validation subjects", rest, count, seed=spec.seed, split=place)
    else:
        validation = _fold(rest, spec.folds, place, spec.seed)
    train = tuple(name for name in rest if name not in validation)
    return Split(train=train, validation=validation, test=tuple(test))


def draw_fresh_split(
    nights: Mapping[str, int], test: Collection[str], spec: SplitSpec, index: int
) -> Split:
    """Return a split beyond those of the sweep, for an `index` that is not below ``spec.blocks``.

    Drawn as `draw_split` does, but always anew: also where a sweep keeps one split, or has all of
    its splits from a file. Then so many are validated on as in the file's blocks, in turn.
    """
    if spec.listed is None:
        return draw_split(nights, test, spec.model_copy(update={"resplit": True}), index)
    rest = {name: count for name, count in nights.items() if name not in test}
    count = len(spec.listed.blocks[index % spec.blocks].validation)
    validation = _drawn("validation subjects", rest, count, seed=spec.seed, split=index)
    train = tuple(name for name in rest if name not in validation)
    return Split(train=train, validation=validation, test=tuple(test))


def _share(share: float, count: int, leave: int) -> int:
    return min(max(1, round(share * count)), count - leave)


def _drawn(purpose: str, nights: Mapping[str, int], count: int, **axes: int) -> tuple[str, ...]:
    # Systematic sampling (Cochran 1977, Sampling Techniques, ch. 8) along the shuffled strata:
    # everybody is as likely to be drawn, and each stratum gives its share to within one subject.
    generator = numpy_generator(purpose, **axes)
    order = _stratified(nights, generator)
    start = int(generator.integers(len(order)))
    return tuple(sorted(order[(start + k * len(order)) // count] for k in range(count)))


def _fold(nights: Mapping[str, int], folds: int, place: int, seed: int) -> tuple[str, ...]:
    # With the shift everybody is as likely to be in any fold, wherever a stratum stands.
    generator = numpy_generator("folds", seed=seed, partition=place // folds)
    order = _stratified(nights, generator)
    start = int(generator.integers(folds))
    return tuple(sorted(order[(start + place) % folds :: folds]))


def _stratified(nights: Mapping[str, int], generator: Any) -> list[str]:
    # Those with as many nights stand together, in random order. The strata are shuffled too: where
    # each is of one subject only, the draw is a plain one.
    strata: dict[int, list[str]] = {}
    for name in sorted(nights):
        strata.setdefault(nights[name], []).append(name)
    groups = [strata[count] for count in sorted(strata)]
    shuffled = [groups[place] for place in generator.permutation(len(groups))]
    return [group[place] for group in shuffled for place in generator.permutation(len(group))]
