"""Designs over a dial: singles at several severities, one set at several sums of p."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from sleepsweep.augment import Signal, augmentation
from sleepsweep.designs.base import Frame, OfMembers, Policy, in_pool
from sleepsweep.spec.pool import AugmentationsSpec, KeyedError, PoolEntry, shared_out
from sleepsweep.spec.ranges import Range
from sleepsweep.trial import MemberSpec

Severity = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]


def _distinct(values: tuple[float, ...]) -> tuple[float, ...]:
    repeated = [value for value in values if values.count(value) > 1]
    if repeated:
        raise ValueError(f"{repeated[0]:g} is given twice")
    return values


DISTINCT = AfterValidator(_distinct)


class SeverityGrid(OfMembers):
    """``severity_grid``: each of the d members that have a dial, alone, at each of the severities.

    d · s a block, for s severities. A severity replaces what the pool says of severity or physical
    parameters; p is the pool's, and the same at all severities in a block.
    """

    severities: Annotated[tuple[Severity, ...], Field(strict=False, min_length=1), DISTINCT]
    """Of each member, one after the other."""

    def check(self, pool: AugmentationsSpec, signal: Signal, channels: int | None) -> None:
        """See `Design`."""
        for name in self.names(pool):
            for place, severity in enumerate(self.severities):
                entry = _at_severity(pool.members[name], severity)
                try:
                    entry.check(augmentation(name), signal, channels)
                except KeyedError as error:
                    raise KeyedError(str(error), "severities", place) from error

    def names(self, pool: AugmentationsSpec) -> list[str]:
        """Members that have a dial; `KeyedError` for one that is named and has none."""
        names = super().names(pool)
        with_dial = [name for name in names if augmentation(name).dial is not None]
        for place, name in enumerate(self.members or ()):
            if in_pool(name, names) not in with_dial:
                raise KeyedError(f"{name} has no severity: its dial is p", "members", place)
        return with_dial

    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """d · s in each block."""
        return blocks * len(self.names(pool)) * len(self.severities)

    def lay_out(self, frame: Frame, block: int) -> Iterator[Policy]:
        """See `Design`."""
        for name in self.names(frame.pool):
            for severity in self.severities:
                entry = _at_severity(frame.entries[name], severity)
                yield (frame.member(name, block, entry),)


def _at_severity(entry: PoolEntry, severity: float) -> PoolEntry:
    return PoolEntry(severity=Range.model_validate(severity), p=entry.p)


class ProbabilityGrid(OfMembers):
    """``probability_grid``: all members at each of the `sums` of their p, the published Σp study.

    A sum is shared out equally and, where there are `weights` (1 for a member that is not named),
    in their proportion too, at most 1 to each, what one cannot take going to the others. s a block
    for s sums; with weights that differ 2s, less one for the sum at which all are at 1 both ways.
    Severities are the pool's, and the same at all sums in a block.
    """

    real_only: ClassVar[bool] = True
    sums: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1), DISTINCT]
    """Sums of the members' p."""
    weights: dict[str, Positive] | None = None
    """Members in whose proportion a sum is shared out too; null: equally only."""

    def check(self, pool: AugmentationsSpec, signal: Signal, channels: int | None) -> None:
        """See `Design`."""
        names = self.names(pool)
        for name in self.weights or {}:
            in_pool(name, names, "weights", name)
        for place, total in enumerate(self.sums):
            if total > len(names):
                raise KeyedError(
                    f"{total:g} is more than {len(names)} members can have, each at most 1",
                    "sums", place,
                )  # fmt: skip

    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """s or 2s in each block, less the sum at which both ways are the same."""
        return blocks * len(self._shares(pool))

    def lay_out(self, frame: Frame, block: int) -> Iterator[Policy]:
        """See `Design`."""
        drawn = [frame.member(name, block, frame.entries[name]) for name in self.names(frame.pool)]
        for shares in self._shares(frame.pool):
            pairs = zip(drawn, shares, strict=True)
            yield tuple(member.model_copy(update={"p": p}) for member, p in pairs)

    def _shares(self, pool: AugmentationsSpec) -> list[tuple[float, ...]]:
        names = self.names(pool)
        weights = {augmentation(name).__name__: w for name, w in (self.weights or {}).items()}
        equal = tuple(MemberSpec(name=name, p=1.0) for name in names)
        weighted = tuple(MemberSpec(name=name, p=weights.get(name, 1.0)) for name in names)
        shared = (shared_out(way, total) for total in self.sums for way in (equal, weighted))
        return list(dict.fromkeys(tuple(member.p for member in members) for members in shared))
