"""The pool of augmentations that policies are drawn from, and how each of them is drawn."""

from collections.abc import Callable
from itertools import product
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from sleepsweep.augment import (
    Augmentation,
    Member,
    Placebo,
    Signal,
    augmentation,
    check_alternatives,
    parameters,
)
from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec
from sleepsweep.spec.ranges import Range, Suggest
from sleepsweep.trial import MemberSpec


class KeyedError(ValueError):
    """A value that does not fit, found while checking a larger part: `path` leads to its key."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


class PoolEntry(PartSpec):
    """How one augmentation of the pool is drawn: a severity or physical parameters, and p."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Range]

    severity: Range | None = None
    """In [0, 1]: 0 is the identity, 0.5 the published strength. Else give physical parameters."""
    p: Range = Field(default=Range.model_validate(1.0))
    """The probability that an epoch is changed, in [0, 1]."""

    @property
    def parameters(self) -> dict[str, Range]:
        """The physical parameters given in the YAML, by name."""
        return dict(self.__pydantic_extra__ or {})

    def check(self, kind: type[Augmentation], signal: Signal, channels: int | None) -> None:
        """Build the augmentation at all ends of its ranges; raises `KeyedError` if it refuses.

        `channels` of ``None`` are not known before the data are read.
        """
        if channels is not None:
            _try("", kind.check_channels, channels)
        if self.severity is not None and self.parameters:
            raise KeyedError("severity and physical parameters exclude each other: give one")
        known = parameters(kind)
        for key, values in self.parameters.items():
            if key not in known:
                raise KeyedError(f"unknown parameter; allowed: {', '.join(known) or 'none'}", key)
            if known[key].kind is int and values.kind in ("uniform", "loguniform"):
                raise KeyedError("counts whole things; draw it from {int: [a, b]} or a choice", key)
        _try("", lambda names: check_alternatives(kind, names), list(self.parameters))
        built = self._at_severities(kind) if self.severity else self._at_parameters(kind)
        for corner in built:
            _try("", lambda drawn: drawn.in_signal(signal), corner)
        for p in self.p.options:
            _try("p", lambda drawn: Member(built[0], drawn), p)

    def draw(self, name: str, source: Suggest) -> MemberSpec:
        """Draw severity or parameters, and p, of the augmentation `name`."""
        severity = (
            None if self.severity is None else self.severity.suggest(f"severity.{name}", source)
        )
        drawn = {
            key: values.suggest(f"{key}.{name}", source) for key, values in self.parameters.items()
        }
        return MemberSpec(
            name=name,
            p=float(self.p.suggest(f"p.{name}", source)),
            severity=None if severity is None else float(severity),
            parameters=drawn,
        )

    def _at_severities(self, kind: type[Augmentation]) -> list[Augmentation]:
        options = self.severity.options if self.severity else ()
        return [_try("severity", kind.at_severity, severity) for severity in options]

    def _at_parameters(self, kind: type[Augmentation]) -> list[Augmentation]:
        # Each parameter alone would be tried beside defaults that the YAML replaces.
        keys = list(self.parameters)
        corners = product(*(values.options for values in self.parameters.values()))
        key = keys[0] if len(keys) == 1 else ""
        return [
            _try(key, lambda drawn: kind(**dict(zip(keys, drawn, strict=True))), corner)
            for corner in corners
        ]


def _try(key: str, build: Callable[[Any], Any], value: Any) -> Any:
    try:
        return build(value)
    except UserError as error:
        raise KeyedError(str(error), *([key] if key else [])) from error


class AugmentationsSpec(PartSpec):
    """The YAML's ``augmentations``: the pool, and how many of it make a policy."""

    size: Annotated[tuple[int, int], Field(strict=False)] = (0, 6)
    """The fewest and the most members of a policy; each size is equally likely."""
    p_sum: float | None = Field(default=None, gt=0)
    """Then the p of members are weights: this sum is shared out in proportion, each at most 1."""
    choose: int | None = Field(default=None, ge=1)
    """Offer each epoch so many of a policy's members, drawn anew; null: all of them."""
    placebo: bool = True
    """Add a member that does nothing: its interval must cover 0."""
    mix_partner: Literal["store", "batch"] = "store"
    """Where the other epoch of a mixture comes from: all training epochs, or the batch."""
    pool: dict[str, PoolEntry]
    """Augmentations by name, each with how it is drawn; ``SignFlip:`` alone has its defaults."""

    @property
    def members(self) -> dict[str, PoolEntry]:
        """The pool by canonical names, with the placebo, if there is one, at its end."""
        named = {augmentation(name).__name__: entry for name, entry in self.pool.items()}
        return {**named, **({Placebo.__name__: PoolEntry()} if self.placebo else {})}

    def offered_of(self, policy: tuple[MemberSpec, ...]) -> int | None:
        """How many of a policy's members an epoch is offered; ``None`` for all of them."""
        # Of as few as that all are offered: the same trial as without a choice.
        return self.choose if self.choose is not None and self.choose < len(policy) else None

    def check(self, signal: Signal, channels: int | None = None) -> None:
        """Raise `KeyedError` for the first value that an augmentation refuses in this signal.

        `channels` is how many it has, ``None`` where that is not known yet.
        """
        for name, entry in self.pool.items():
            try:
                entry.check(augmentation(name), signal, channels)
            except KeyedError as error:
                raise KeyedError(str(error), "pool", name, *error.path) from error

    @field_validator("pool", mode="before")
    @classmethod
    def _bare_names(cls, pool: object) -> object:
        # `SignFlip:` without anything below it is an entry with its defaults.
        if not isinstance(pool, dict):
            return pool
        return {name: {} if entry is None else entry for name, entry in pool.items()}

    @field_validator("pool")
    @classmethod
    def _known_names(cls, pool: dict[str, PoolEntry]) -> dict[str, PoolEntry]:
        if not pool:
            raise ValueError("the pool is empty: name at least one augmentation")
        seen: set[str] = set()
        for name in pool:
            try:
                canonical = augmentation(name).__name__
            except UserError as error:
                raise KeyedError(str(error), name) from error
            if canonical == Placebo.__name__:
                raise KeyedError("the placebo is switched by `placebo: true`", name)
            if canonical in seen:
                raise KeyedError(f"the pool holds {canonical} already", name)
            seen.add(canonical)
        return pool

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        low, high = self.size
        if not 0 <= low <= high <= len(self.members):
            message = (
                f"[{low}, {high}] must lie within 0 and {len(self.members)}, the number of "
                f"augmentations in the pool{' and the placebo' if self.placebo else ''}"
            )
            raise KeyedError(message, "size")
        return self


def shared_out(members: tuple[MemberSpec, ...], p_sum: float) -> tuple[MemberSpec, ...]:
    """Share `p_sum` out to the members in proportion to their p, at most 1 to each.

    What one cannot take goes to the others. Rounded to four digits, as drawn values are.
    """
    shares = dict.fromkeys(range(len(members)), 1.0)
    open_to, left = [place for place, member in enumerate(members) if member.p > 0], p_sum
    while open_to:
        scale = left / sum(members[place].p for place in open_to)
        full = [place for place in open_to if scale * members[place].p >= 1]
        if not full:
            shares |= {place: scale * members[place].p for place in open_to}
            break
        open_to = [place for place in open_to if place not in full]
        left -= len(full)
    shares |= {place: 0.0 for place, member in enumerate(members) if member.p == 0}
    return tuple(
        member.model_copy(update={"p": float(f"{shares[place]:.4g}")})
        for place, member in enumerate(members)
    )
