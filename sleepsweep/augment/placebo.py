"""The placebo: a member of a policy that does nothing, as a control."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sleepsweep.augment.base import Augmentation


@dataclass(frozen=True)
class Placebo(Augmentation):
    """x: what an analysis finds for it is what it finds where there is nothing."""

    category = "placebo"

    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        return x
