"""VICReg: variance, invariance and covariance, without negatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sleepsweep.learn.losses.base import Loss
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class VICReg(Loss):
    """Variance-invariance-covariance regularisation (Bardes et al. 2022, algorithm 1).

    Of the projections Z, Z′ of two views, n epochs in d dimensions, with covariance matrices C, C′:

        25 · mean (Z − Z′)²  +  25 · [v(Z) + v(Z′)]  +  1 · [c(Z) + c(Z′)]
        v(Z) = 1/d Σ_j max(0, 1 − √(C_jj + 10⁻⁴)),   c(Z) = 1/d Σ_{i ≠ j} C_ij²

    The first mean is over epochs and dimensions, as the algorithm has it, with which the weights
    were chosen; equation 5 leaves 1/d out.
    """

    name: ClassVar[str] = "vicreg"
    needs_projector: ClassVar[bool] = True
    batches: ClassVar[bool] = True

    invariance: float = 25.0
    variance: float = 25.0
    covariance: float = 1.0

    def of(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the loss of two views' projections (batch, projector_dim) of any length."""
        distance = torch.nn.functional.mse_loss(first, second)
        spread = _hinge(first) + _hinge(second)
        redundancy = _redundancy(first) + _redundancy(second)
        return self.invariance * distance + self.variance * spread + self.covariance * redundancy


def _hinge(projections: Tensor) -> Tensor:
    return torch.nn.functional.relu(1 - (projections.var(dim=0) + 1e-4).sqrt()).mean()


def _redundancy(projections: Tensor) -> Tensor:
    covariance = torch.cov(projections.T)
    return (covariance - covariance.diagonal().diag()).square().sum() / len(covariance)
