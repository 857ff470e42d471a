"""Dropout whose draws cost little on a CPU."""

import torch
from torch import Tensor, nn

LEVELS = 2**16


class Dropout(nn.Dropout):
    """`torch.nn.Dropout` that draws sixteen bits an element, four elements with one number.

    The probability is a multiple of 2⁻¹⁶. It draws from torch's global generator, as torch's own,
    which it is anywhere but on a CPU.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Set elements to 0 with probability p, and divide the others by 1 − p, in training."""
        if not self.training or self.p == 0.0 or values.device.type != "cpu" or self.p == 1.0:
            return super().forward(values)
        return values * self.kept(values.shape).to(values.dtype).mul_(1 / (1 - self.p))

    def kept(self, shape: torch.Size) -> Tensor:
        """Draw which elements are kept, as booleans."""
        numbers = torch.empty(-(-shape.numel() // 4), dtype=torch.int64)
        bits = numbers.random_(-(2**63), None).view(torch.int16)[: shape.numel()]
        return bits.view(shape) >= round(self.p * LEVELS) - LEVELS // 2
