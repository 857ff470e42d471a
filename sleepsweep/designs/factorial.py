"""The design that a ranking is read from best: distinct random sets, size first, balanced."""

from collections import Counter
from collections.abc import Iterator
from math import comb
from typing import Annotated

from pydantic import Field

from sleepsweep.augment import Signal
from sleepsweep.designs.balance import Members, balanced_sets, dealt, levelled, shares
from sleepsweep.designs.base import Frame, OfMembers, Policy
from sleepsweep.seeds import numpy_generator
from sleepsweep.spec.pool import AugmentationsSpec, KeyedError


class Factorial(OfMembers):
    """``factorial``: `trials` distinct sets of the n members, of the space's sizes from 1 on.

    `trials` in all, each in one block: distinct sets tell more than repeated ones at equal cost.
    Every size has equally many sets, to within 1, as long as there are so many; every member is
    in equally many sets of each size, and in all, to within 1; every block has equally many
    sets of each size, and in all, to within 1. How often a member is in a block is no more than
    similar. A set's settings are drawn for it alone.
    """

    trials: Annotated[int, Field(ge=1)]
    """How many sets, over all blocks."""

    def check(self, pool: AugmentationsSpec, signal: Signal, channels: int | None) -> None:
        """See `Design`."""
        there = sum(self._capacities(pool).values())
        if self.trials > there:
            low, high = pool.size
            raise KeyedError(
                f"{self.trials} is more than there are distinct sets: {there:,} of sizes "
                f"{max(low, 1)} to {high} among {len(self.names(pool))} augmentations",
                "trials",
            )

    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """`trials`, shared out to the blocks."""
        return self.trials

    def lay_out(self, frame: Frame, block: int) -> Iterator[Policy]:
        """See `Design`."""
        names = self.names(frame.pool)
        for place, chosen in enumerate(self._hands(frame)[block]):
            yield frame.policy([names[member] for member in sorted(chosen)], block, n=place)

    def _hands(self, frame: Frame) -> list[list[Members]]:
        generator = numpy_generator(frame.design, seed=frame.seed, trials=self.trials)
        members, capacities = len(self.names(frame.pool)), self._capacities(frame.pool)
        counts = shares(self.trials, list(capacities.values()), generator)
        totals: Counter[int] = Counter()
        classes = []
        for size, count in zip(capacities, counts, strict=True):
            sets = balanced_sets(members, size, count, generator)
            classes.append(levelled(sets, totals, members, generator))
            totals.update(member for chosen in classes[-1] for member in chosen)
        return dealt(classes, frame.blocks, generator)

    def _capacities(self, pool: AugmentationsSpec) -> dict[int, int]:
        """How many distinct sets there are of each size that may be drawn."""
        (low, high), members = pool.size, len(self.names(pool))
        return {size: comb(members, size) for size in range(max(low, 1), min(high, members) + 1)}
