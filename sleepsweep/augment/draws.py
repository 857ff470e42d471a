"""Random numbers, one for each epoch, on the device of the epochs.

Drawn in float64 whatever the dtype of the epochs: every dtype then sees the same draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


def uniform(x: Tensor, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Draw from U(low, high) for each epoch of `x` (batch, channel, time); (batch, 1) float64."""
    return low + (high - low) * unit(x, 1, generator)


def whole(x: Tensor, low: int, high: int, generator: torch.Generator) -> Tensor:
    """Draw from {low, …, high}, uniformly, for each epoch of `x`; shape (batch, 1), int64."""
    return torch.randint(low, high + 1, (len(x), 1), generator=generator, device=x.device)


def unit(x: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draw `count` numbers from U(0, 1) for each epoch of `x`; shape (batch, count), float64."""
    shape = (len(x), count)
    return torch.rand(shape, generator=generator, device=x.device, dtype=torch.float64)


def per_epoch(draw: Tensor, x: Tensor) -> Tensor:
    """Shape (batch, n) draws as (batch, 1, n) in the dtype of `x`, to broadcast over channels."""
    return draw.to(x.dtype).unsqueeze(1)


def normal(x: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draw `count` numbers from N(0, 1) for each epoch of `x`; shape (batch, count), float64."""
    shape = (len(x), count)
    return torch.randn(shape, generator=generator, device=x.device, dtype=torch.float64)


def beta(x: Tensor, alpha: float, generator: torch.Generator) -> Tensor:
    """Draw from Beta(alpha, alpha) for each epoch of `x`; shape (batch, 1), float64.

    As the share of one of two Gamma(alpha) draws in their sum.
    """
    shape = torch.full((len(x), 2), alpha, dtype=torch.float64, device=x.device)
    # The function below torch.distributions.Gamma, which itself takes no generator.
    gamma: Tensor = torch._standard_gamma(shape, generator=generator)
    return gamma[:, :1] / gamma.sum(1, keepdim=True)
