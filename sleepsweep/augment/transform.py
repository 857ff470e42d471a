"""A policy as a module of torch, for a training loop of one's own."""

import torch
from torch import Generator, Tensor, nn

from sleepsweep.augment.base import Signal
from sleepsweep.augment.policy import Partners, Policy, batch_partners


class PolicyTransform(nn.Module):
    """Augments epochs (batch, channel, time) by a policy; needs torch and `sleepsweep.augment`.

        transform = PolicyTransform(policy, Signal(sfreq=100.0))
        one, two = transform.views(epochs)          # a positive pair for a contrastive loss
        noisy = transform(epochs)                   # one view, as for supervised training

    Every draw comes from `generator`, on the device of the epochs; without one, a new generator is
    seeded from torch's global one, so that ``torch.manual_seed`` makes a run repeatable. Where the
    policy mixes, an epoch's partner is another one of the batch, unless partners are given.
    """

    def __init__(self, policy: Policy, signal: Signal) -> None:
        super().__init__()
        self.policy = policy.in_signal(signal)

    def forward(
        self, epochs: Tensor, generator: Generator | None = None, partner: Tensor | None = None
    ) -> Tensor:
        """Return one view of each epoch; `partner`, shaped as `epochs`, holds what it mixes with.

        `epochs` is never modified. Raises `UserError` for a tensor of another shape or type.
        """
        draws = generator or _seeded(epochs)
        if partner is None and self.policy.needs_partner:
            partner = batch_partners(epochs)(len(epochs), draws)
        return self.policy(epochs, draws, partner)

    def views(
        self,
        epochs: Tensor,
        generator: Generator | None = None,
        partners: Partners | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return two independently drawn views of each epoch, as a sweep's pretraining sees them.

        `partners` *(count, generator) → epochs* is asked once, for both views.
        """
        draws = generator or _seeded(epochs)
        return self.policy.views(epochs, draws, partners or batch_partners(epochs))

    def extra_repr(self) -> str:
        """What ``print`` shows: the members of the policy."""
        return ", ".join(
            f"{type(member.augmentation).__name__}(p={member.p:g})"
            for member in self.policy.members
        )


def _seeded(epochs: Tensor) -> Generator:
    seed = int(torch.randint(2**62, ()).item())
    return Generator(device=epochs.device).manual_seed(seed)
