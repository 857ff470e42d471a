"""Designs of sets by category: within one, and across several."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations, product
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sleepsweep.augment import Signal
from sleepsweep.designs.base import Names, SetDesign, by_category
from sleepsweep.spec.pool import AugmentationsSpec, KeyedError


class OfCategories(SetDesign):
    """A design of the members of `categories`, all that the pool has unless some are named."""

    real_only: ClassVar[bool] = True
    categories: Names | None = None
    """Which of the pool's; null: all of them."""

    def check(self, pool: AugmentationsSpec, signal: Signal, channels: int | None) -> None:
        """See `Design`."""
        groups = by_category(self.names(pool))
        for place, category in enumerate(self.categories or ()):
            if category not in groups:
                allowed = ", ".join(groups)
                raise KeyedError(
                    f"no member is of the category {category}; allowed: {allowed}",
                    "categories", place,
                )  # fmt: skip
            if category in (self.categories or ())[:place]:
                raise KeyedError(f"{category} is named twice", "categories", place)

    def groups(self, pool: AugmentationsSpec) -> list[list[str]]:
        """Members of each category that is asked for, in the order of the pool."""
        groups = by_category(self.names(pool))
        return [
            names for category, names in groups.items() if category in (self.categories or groups)
        ]


class WithinCategory(OfCategories):
    """``within_category``: every non-empty subset of each category.

    Σ (2ⁿ − 1) a block, over the categories, which have n members each.
    """

    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """Σ (2ⁿ − 1) in each block."""
        return blocks * sum((1 << len(names)) - 1 for names in self.groups(pool))

    def sets(self, pool: AugmentationsSpec) -> Iterator[tuple[str, ...]]:
        """See `SetDesign`."""
        return chain.from_iterable(subsets(names) for names in self.groups(pool))


class BetweenCategories(OfCategories):
    """``between_categories``: sets with members of `together` categories.

    With ``take: one`` a set has one member of each of its categories; with ``take: any`` it has any
    non-empty subset of each, as in the published study. Every choice of `together` categories
    gives Π c sets, where c is n (one) or 2ⁿ − 1 (any) for a category of n members: Σ Π c a block.
    """

    take: Literal["one", "any"] = "one"
    """One member of each category of a set, or any non-empty subset of each."""
    together: Annotated[int, Field(ge=2)] = 2
    """How many categories a set has members of."""

    def check(self, pool: AugmentationsSpec, signal: Signal, channels: int | None) -> None:
        """See `Design`."""
        super().check(pool, signal, channels)
        there = len(self.groups(pool))
        if self.together > there:
            raise KeyedError(
                f"together is {self.together}, but the members are of {there} "
                f"{'category' if there == 1 else 'categories'}"
            )

    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """Σ Π c in each block, over the choices of categories."""
        sizes = [len(names) for names in self.groups(pool)]
        parts = sizes if self.take == "one" else [(1 << size) - 1 for size in sizes]
        return blocks * sum(prod(chosen) for chosen in combinations(parts, self.together))

    def sets(self, pool: AugmentationsSpec) -> Iterator[tuple[str, ...]]:
        """See `SetDesign`."""
        for chosen in combinations(self.groups(pool), self.together):
            parts = [self._parts(names) for names in chosen]
            for sets in product(*parts):
                yield tuple(chain.from_iterable(sets))

    def _parts(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        return [(name,) for name in names] if self.take == "one" else list(subsets(names))


def subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield every non-empty subset, the small ones first, each in the order of `names`."""
    return chain.from_iterable(combinations(names, size) for size in range(1, len(names) + 1))
