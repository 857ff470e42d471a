"""A policy: augmentations in order, each applied to each epoch with its probability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Self

from sleepsweep.augment.base import Augmentation, Signal
from sleepsweep.augment.draws import unit
from sleepsweep.errors import UserError
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor

Partners = Callable[[int, "torch.Generator"], "Tensor"]


@dataclass(frozen=True)
class Member:
    """An augmentation in a policy and the probability `p` that an epoch of a view gets it."""

    augmentation: Augmentation
    p: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.p, Real) or isinstance(self.p, bool) or not 0 <= self.p <= 1:
            name = type(self.augmentation).__name__
            raise UserError(f"{name}: p = {self.p!r}; a probability lies between 0 and 1.")


@dataclass(frozen=True)
class Policy:
    """An ordered set of augmentations; the empty policy is the identity.

    With `choose`, each epoch of a view is offered that many of the members, drawn uniformly anew
    and applied in the policy's order, each with its p: "k of n at random", as in RandAugment
    (Cubuk et al. 2020, arXiv:1909.13719), but without repetition.
    """

    members: tuple[Member, ...] = ()
    choose: int | None = None

    def __post_init__(self) -> None:
        count = len(self.members)
        if self.choose is not None and not 0 <= self.choose <= count:
            raise UserError(
                f"choose = {self.choose}: a policy of {count} augmentations offers an epoch "
                f"between 0 and {count} of them."
            )

    def __call__(
        self, x: Tensor, generator: torch.Generator, partner: Tensor | None = None
    ) -> Tensor:
        """Return the augmented epochs; x is (batch, channel, time) and is never modified.

        Each member is applied to each epoch with its own draw of p. `generator` is on the device
        of `x`. Raises `UserError` if a member mixes and there is no `partner`, shaped as `x`.
        """
        if self.needs_partner and partner is None:
            raise UserError("This policy mixes epochs and needs a partner for each of them.")
        offered = self._offered(x, generator)
        apply_where = _ToRows() if x.device.type == "cpu" else _by_mask
        for place, member in enumerate(self.members):
            if member.p > 0:
                chosen = unit(x, 1, generator)[:, 0] < member.p
                if offered is not None:
                    chosen &= offered[:, place]
                x = apply_where(member.augmentation, x, chosen, generator, partner)
        return x

    def _offered(self, x: Tensor, generator: torch.Generator) -> Tensor | None:
        """Draw which members each epoch is offered, (batch, member); ``None``: all of them."""
        if self.choose is None:
            return None
        ranks = unit(x, len(self.members), generator).argsort(1).argsort(1)
        return ranks < self.choose

    def views(
        self, x: Tensor, generator: torch.Generator, partners: Partners | None
    ) -> tuple[Tensor, Tensor]:
        """Return two independently drawn views of each epoch of `x` (batch, channel, time).

        Where a member mixes, one batch of partners, ``partners(batch, generator)``, serves both
        views: that is how the published study mixes.
        """
        partner = None
        if self.needs_partner and partners is not None:
            partner = partners(len(x), generator)
        return self(x, generator, partner), self(x, generator, partner)

    @property
    def needs_partner(self) -> bool:
        """Whether a member mixes each epoch with another one."""
        return any(member.augmentation.needs_partner for member in self.members)

    def in_signal(self, signal: Signal) -> Self:
        """Return the policy for epochs with this sampling frequency and unit."""
        members = tuple(
            replace(member, augmentation=member.augmentation.in_signal(signal))
            for member in self.members
        )
        return replace(self, members=members)


def batch_partners(epochs: Tensor) -> Partners:
    """Return the function that gives each epoch a partner from the same batch."""

    def partners(count: int, generator: torch.Generator) -> Tensor:
        return epochs[torch.randperm(count, generator=generator, device=epochs.device)]

    return partners


class _ToRows:
    """Augments the chosen epochs only: on a processor the cost is then proportional to p.

    One object serves one call of a policy: it copies the epochs once, when the first of them
    changes, and writes into that copy from then on. A result of all epochs is the augmentation's,
    which may need it for a gradient: into that it does not write.
    """

    def __init__(self) -> None:
        self._copy: Tensor | None = None

    def __call__(
        self,
        augmentation: Augmentation,
        x: Tensor,
        chosen: Tensor,
        generator: torch.Generator,
        partner: Tensor | None,
    ) -> Tensor:
        rows = chosen.nonzero()[:, 0]
        if len(rows) == len(x):
            return augmentation(x, generator, partner)
        if len(rows) == 0:
            return x
        others = None
        if augmentation.needs_partner and partner is not None:
            others = partner.index_select(0, rows)
        augmented = augmentation(x.index_select(0, rows), generator, others)
        if x is self._copy:
            return x.index_copy_(0, rows, augmented)
        self._copy = x.index_copy(0, rows, augmented)
        return self._copy


def _by_mask(
    augmentation: Augmentation,
    x: Tensor,
    chosen: Tensor,
    generator: torch.Generator,
    partner: Tensor | None,
) -> Tensor:
    """Augment all and keep what is chosen: an accelerator then never waits to count the rows."""
    return torch.where(chosen[:, None, None], augmentation(x, generator, partner), x)
