"""Who is trained on, validated on and tested on: splits by subject, never by recording.

A split is drawn from names alone, so that drawing one opens nobody's data.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec, only
from sleepsweep.seeds import numpy_generator

FEWEST_SUBJECTS = 3


class LeakError(RuntimeError):
    """Data were about to reach a part of the study that must not see them: always a bug."""


class SplitSpec(PartSpec):
    """How subjects are divided.

    `test` is the share set aside once a study; `validation` the share of the remaining subjects.
    Each of `blocks` re-draws train and validation, unless `resplit` is false.
    """

    protocol: Annotated[str, only("subject")] = "subject"
    test: float = Field(default=0.15, gt=0, lt=1)
    validation: float = Field(default=0.2, gt=0, lt=1)
    blocks: int = Field(default=3, ge=1)
    resplit: bool = True


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


def set_aside(subjects: Collection[str], spec: SplitSpec) -> tuple[str, ...]:
    """Draw the test subjects of a study, sorted: at least 1, and 2 are always left over.

    The draw depends on the names and the share alone, and not on a sweep's seed: another seed must
    not train on the people whom the first one kept for its test. Raises `UserError` when there are
    fewer than 3 subjects.
    """
    names = sorted(set(subjects))
    if len(names) < FEWEST_SUBJECTS:
        raise UserError(
            f"{len(names)} subjects found ({', '.join(names) or 'none'}), at least "
            f"{FEWEST_SUBJECTS} are needed: one each to train, validate and test on. Add "
            "recordings of more subjects; two nights of one person count as one subject."
        )
    count = _share(spec.test, len(names), leave=2)
    return _drawn("test subjects", names, count)


def draw_split(
    subjects: Collection[str], test: Collection[str], spec: SplitSpec, index: int, seed: int
) -> Split:
    """Draw train and validation of block `index` among the `subjects` that are not in `test`.

    With ``resplit: false`` every block gets the split of block 0. Raises `UserError` when fewer
    than 2 subjects are left.
    """
    rest = sorted(set(subjects) - set(test))
    if len(rest) < FEWEST_SUBJECTS - 1:
        raise UserError(
            f"{len(set(subjects))} subjects, {len(set(test))} of them set aside for the test: "
            f"{len(rest)} left, at least 2 are needed. Lower split.test or add subjects."
        )
    count = _share(spec.validation, len(rest), leave=1)
    block = index if spec.resplit else 0
    validation = _drawn("validation subjects", rest, count, seed=seed, split=block)
    train = tuple(sorted(set(rest) - set(validation)))
    return Split(train=train, validation=validation, test=tuple(test))


def _share(share: float, count: int, leave: int) -> int:
    return min(max(1, round(share * count)), count - leave)


def _drawn(purpose: str, names: list[str], count: int, **axes: int) -> tuple[str, ...]:
    order = numpy_generator(purpose, **axes).permutation(len(names))
    return tuple(sorted(names[place] for place in order[:count]))
