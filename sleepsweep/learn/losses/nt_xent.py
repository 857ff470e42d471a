"""NT-Xent, the loss of SimCLR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sleepsweep.learn.losses.base import Loss
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class NTXent(Loss):
    """Normalised temperature-scaled cross entropy (Chen et al. 2020, SimCLR, equation 1).

    For each of the 2·batch embeddings z, of length 1, the other view is the positive among all
    others:

        l(i, j) = −log( exp(z_i·z_j / τ) / Σ_{k ≠ i} exp(z_i·z_k / τ) )

    The loss is the mean of l over both directions of every positive pair.
    """

    name: ClassVar[str] = "nt_xent"
    unit_length: ClassVar[bool] = True
    batches: ClassVar[bool] = True

    temperature: float = 0.1

    def of(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the loss of two views' embeddings (batch, latent_dim) of length 1."""
        embeddings = torch.cat([first, second])
        similarities = embeddings @ embeddings.T / self.temperature
        batch = len(first)
        # Not by fill_diagonal_, which torch.vmap does one by one.
        itself = torch.eye(2 * batch, dtype=torch.bool, device=first.device)
        similarities.masked_fill_(itself, float("-inf"))
        positives = torch.arange(2 * batch, device=first.device).roll(batch)
        return torch.nn.functional.cross_entropy(similarities, positives)
