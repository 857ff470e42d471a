"""The one list of designs, as items of the YAML's ``search.designs``."""

from collections.abc import Iterator
from typing import Any, Self

from pydantic import model_serializer, model_validator

from sleepsweep.augment import Signal
from sleepsweep.designs.base import Design, Frame, Policy
from sleepsweep.designs.categories import BetweenCategories, WithinCategory
from sleepsweep.designs.factorial import Factorial
from sleepsweep.designs.grids import ProbabilityGrid, SeverityGrid
from sleepsweep.designs.listed import WrittenOut
from sleepsweep.designs.sets import LeaveOneOut, NoAugmentation, Pairs, Singles
from sleepsweep.part import PartSpec
from sleepsweep.spec.pool import AugmentationsSpec, KeyedError

# A slip of the pen (all subsets of twenty) is refused before it fills a disk.
LARGEST = 5_000


class DesignSpec(PartSpec):
    """A design by name: ``singles``, or with options ``{factorial: {trials: 96}}``.

    A new design is one class and one line here.
    """

    none: NoAugmentation | None = None
    singles: Singles | None = None
    leave_one_out: LeaveOneOut | None = None
    pairs: Pairs | None = None
    within_category: WithinCategory | None = None
    between_categories: BetweenCategories | None = None
    factorial: Factorial | None = None
    severity_grid: SeverityGrid | None = None
    probability_grid: ProbabilityGrid | None = None
    list: WrittenOut | None = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: {}}
        if not isinstance(value, dict):
            return value
        return {name: {} if options is None else options for name, options in value.items()}

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("one design an item: NAME or {NAME: {options}}")
        return self

    @model_serializer
    def _write(self) -> Any:
        options = self.design.model_dump(mode="json", exclude_defaults=True)
        return {self.name: options} if options else self.name

    @property
    def name(self) -> str:
        """The name of the design."""
        return next(iter(self.model_fields_set))

    @property
    def design(self) -> Design:
        """The design with its options."""
        found: Design = getattr(self, self.name)
        return found

    def check(
        self, pool: AugmentationsSpec, blocks: int, signal: Signal, channels: int | None
    ) -> None:
        """Raise `KeyedError` unless the design has between 1 and 5,000 trials that can be run."""
        try:
            self.design.check(pool, signal, channels)
        except KeyedError as error:
            raise KeyedError(str(error), self.name, *error.path) from error
        count = self.design.count(pool, blocks)
        if count == 0:
            raise KeyedError("no policy of this pool fits this design", self.name)
        if count > LARGEST:
            raise KeyedError(
                f"{count:,} trials on {blocks} blocks; a design has at most {LARGEST:,}. "
                "Name fewer members or categories, or lower split.blocks",
                self.name,
            )

    def lay_out(
        self, pool: AugmentationsSpec, blocks: int, seed: int
    ) -> Iterator[tuple[int, Policy]]:
        """Yield the block and the policy of each trial, block by block."""
        frame = Frame(self.name, pool, blocks, seed)
        for block in range(blocks):
            for policy in self.design.lay_out(frame, block):
                yield block, policy
