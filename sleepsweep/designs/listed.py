"""The design that is written out, policy by policy."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from sleepsweep.augment import Signal, augmentation
from sleepsweep.designs.base import Design, Frame, Policy, in_pool
from sleepsweep.spec.pool import AugmentationsSpec, KeyedError, PoolEntry


def _read_member(value: Any) -> Any:
    # `SignFlip` is short for {SignFlip: {}}, as in the pool.
    if isinstance(value, str):
        return {value: {}}
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"{value} is no member of a policy; allowed: NAME or {{NAME: {{...}}}}")
    return {name: {} if entry is None else entry for name, entry in value.items()}


def _read_policy(value: Any) -> Any:
    if value == "none":
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value} is no policy; allowed: none or a list of augmentations")
    return value


Listed = Annotated[dict[str, PoolEntry], BeforeValidator(_read_member)]
ListedPolicy = Annotated[tuple[Listed, ...], Field(strict=False), BeforeValidator(_read_policy)]


class WrittenOut(Design):
    """``list``: the `policies` as they are written, k of them a block.

    Members are of the pool and applied in the order written. What a member leaves out is not the
    pool's but the default: p is 1, parameters are the published ones. A range is drawn for each
    policy and block.
    """

    policies: Annotated[tuple[ListedPolicy, ...], Field(strict=False, min_length=1)]
    """Each a list of augmentations, or ``none``."""

    def check(self, pool: AugmentationsSpec, signal: Signal, channels: int | None) -> None:
        """See `Design`."""
        allowed = list(pool.members)
        for place, policy in enumerate(self.policies):
            if policy in self.policies[:place]:
                raise KeyedError("this policy is listed twice", "policies", place)
            names: list[str] = []
            for number, (name, entry) in enumerate(_members(policy)):
                path = ("policies", place, number)
                names.append(in_pool(name, allowed, *path))
                if names[-1] in names[:-1]:
                    raise KeyedError(f"{name} is in this policy already", *path)
                try:
                    entry.check(augmentation(name), signal, channels)
                except KeyedError as error:
                    raise KeyedError(str(error), *path, name, *error.path) from error

    def count(self, pool: AugmentationsSpec, blocks: int) -> int:
        """k in each block."""
        return blocks * len(self.policies)

    def lay_out(self, frame: Frame, block: int) -> Iterator[Policy]:
        """See `Design`."""
        for place, policy in enumerate(self.policies):
            yield tuple(
                frame.member(augmentation(name).__name__, block, entry, n=place)
                for name, entry in _members(policy)
            )


def _members(policy: tuple[dict[str, PoolEntry], ...]) -> Iterator[tuple[str, PoolEntry]]:
    for member in policy:
        yield from member.items()
