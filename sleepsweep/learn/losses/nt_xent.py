"""NT-Xent, the loss of SimCLR."""

import torch
import torch.nn.functional as F
from torch import Tensor


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Normalised temperature-scaled cross entropy (Chen et al. 2020, SimCLR, equation 1).

    `first` and `second` are the embeddings (batch, latent_dim), of length 1, of two views of the
    same epochs. For each of the 2·batch embeddings the other view is the positive among all others:

        l(i, j) = −log( exp(z_i·z_j / τ) / Σ_{k ≠ i} exp(z_i·z_k / τ) )

    The result is the mean of l over both directions of every positive pair, a scalar.
    """
    embeddings = torch.cat([first, second])
    similarities = embeddings @ embeddings.T / temperature
    similarities.fill_diagonal_(float("-inf"))
    batch = len(first)
    positives = torch.arange(2 * batch, device=first.device).roll(batch)
    return F.cross_entropy(similarities, positives)
