"""The placebo: a member of a policy that does nothing, as a control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sleepsweep.augment.base import Augmentation

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Placebo(Augmentation):
    """x: what an analysis finds for it is what it finds where there is nothing."""

    category = "placebo"

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        return x
