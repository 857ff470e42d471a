"""What a design is: policies for each block, and how many they are before one is made."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from sleepsweep.augment import Placebo, Signal, augmentation
from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec
from sleepsweep.seeds import Axis, numpy_generator
from sleepsweep.spec.pool import AugmentationsSpec, KeyedError, PoolEntry, shared_out
from sleepsweep.spec.ranges import Draws
from sleepsweep.trial import MemberSpec

Policy = tuple[MemberSpec, ...]
Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


@dataclass(frozen=True)
class Frame:
    """What a design is laid out in: a pool, a number of blocks, a sweep's seed.

    `design` is the name under which settings are drawn.
    """

    design: str
    pool: AugmentationsSpec
    blocks: int
    seed: int

    @cached_property
    def entries(self) -> Mapping[str, PoolEntry]:
        """The pool by canonical names, the placebo included."""
        return self.pool.members

    def member(self, name: str, block: int, entry: PoolEntry, **axes: Axis) -> MemberSpec:
        """Draw the settings of `name` from an `entry`, its own of the pool or another one.

        A range is drawn once a block, the same for all policies of the design: they then differ in
        composition only. More `axes` make more draws.
        """
        generator = numpy_generator(self.design, seed=self.seed, block=block, name=name, **axes)
        return entry.draw(name, Draws(generator))

    def policy(self, names: Sequence[str], block: int, **axes: Axis) -> Policy:
        """Return the policy of `names`; the pool's `p_sum` is shared out where there are several.

        A single one has nobody to share with: its p is its own.
        """
        drawn = tuple(self.member(name, block, self.entries[name], **axes) for name in names)
        return (
            drawn
            if self.pool.p_sum is None or len(drawn) < 2
            else shared_out(drawn, self.pool.p_sum)
        )


class Design(PartSpec, ABC):
    """A list of policies for each block; its fields are its options in the YAML."""

    def check(self, pool: AugmentationsSpec, signal: Signal, channels: int | None) -> None:
        """Raise `KeyedError` for an option that does not fit the pool or the recordings."""

    @abstractmethod
    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """How many trials it has, by its formula: none of them is made for that."""

    @abstractmethod
    def lay_out(self, frame: Frame, block: int) -> Iterator[Policy]:
        """Yield the policies of one block, none of them twice."""


class OfMembers(Design):
    """A design of `members` of the pool, all of them unless some are named.

    The placebo, which has no category, is no member of designs with `real_only`.
    """

    real_only: ClassVar[bool] = False
    members: Names | None = None
    """Which of the pool; null: all of them."""

    def check(self, pool: AugmentationsSpec, signal: Signal, channels: int | None) -> None:
        """See `Design`."""
        self.names(pool)

    def names(self, pool: AugmentationsSpec) -> list[str]:
        """Canonical names of the members, in the order of the pool; `KeyedError` for others."""
        allowed = [n for n in pool.members if not (self.real_only and n == Placebo.__name__)]
        if self.members is None:
            return allowed
        chosen = [
            in_pool(name, allowed, "members", place) for place, name in enumerate(self.members)
        ]
        for place, name in enumerate(chosen):
            if name in chosen[:place]:
                raise KeyedError(f"{name} is named twice", "members", place)
        return [name for name in allowed if name in chosen]


class SetDesign(OfMembers):
    """A design of sets: what is in a policy; how strong and how often is the pool's."""

    @abstractmethod
    def sets(self, pool: AugmentationsSpec) -> Iterator[tuple[str, ...]]:
        """Yield the names of each policy's members."""

    def lay_out(self, frame: Frame, block: int) -> Iterator[Policy]:
        """See `Design`."""
        for names in self.sets(frame.pool):
            yield frame.policy(names, block)


def in_pool(name: str, allowed: Sequence[str], *path: str | int) -> str:
    """Return the canonical form of `name`; `KeyedError` at `path` where it is not `allowed`."""
    try:
        canonical = augmentation(name).__name__
    except UserError as error:
        raise KeyedError(str(error), *path) from error
    if canonical not in allowed:
        raise KeyedError(f"{name} is not in the pool; allowed: {', '.join(allowed)}", *path)
    return canonical


def by_category(names: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of each category, both in the order of `names`."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(augmentation(name).category, []).append(name)
    return groups
