"""Designs of sets of a fixed form: none, singles, the whole pool less one, pairs."""

from collections.abc import Iterator
from itertools import combinations
from math import comb

from sleepsweep.designs.base import Design, Frame, Policy, SetDesign
from sleepsweep.spec.pool import AugmentationsSpec


class NoAugmentation(Design):
    """``none``: the empty policy. One a block."""

    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """1 in each block."""
        return blocks

    def lay_out(self, frame: Frame, block: int) -> Iterator[Policy]:
        """See `Design`."""
        yield ()


class Singles(SetDesign):
    """``singles``: each of the n members alone. n a block."""

    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """n in each block."""
        return blocks * len(self.names(pool))

    def sets(self, pool: AugmentationsSpec) -> Iterator[tuple[str, ...]]:
        """See `SetDesign`."""
        for name in self.names(pool):
            yield (name,)


class LeaveOneOut(SetDesign):
    """``leave_one_out``: all of the n members but one, each left out once. n a block."""

    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """n in each block."""
        return blocks * len(self.names(pool))

    def sets(self, pool: AugmentationsSpec) -> Iterator[tuple[str, ...]]:
        """See `SetDesign`."""
        names = self.names(pool)
        for left_out in names:
            yield tuple(name for name in names if name != left_out)


class Pairs(SetDesign):
    """``pairs``: every two of the n members. n(n − 1)/2 a block."""

    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """n(n − 1)/2 in each block."""
        return blocks * comb(len(self.names(pool)), 2)

    def sets(self, pool: AugmentationsSpec) -> Iterator[tuple[str, ...]]:
        """See `SetDesign`."""
        yield from combinations(self.names(pool), 2)
