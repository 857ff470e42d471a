"""Working through a batch in blocks of epochs that fit a processor's cache."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor

# Samples in a block: a quarter of a megabyte in float32, so that what an operation makes on its way
# stays in the cache of a core and its memory, twice that in float64, does not grow with the batch.
SAMPLES = 2**16

Operation = Callable[..., "Tensor"]


def in_blocks(operation: Operation) -> Operation:
    """Decorate an operation on epochs (batch, channel, time) that treats each epoch by itself.

    Every positional tensor is one row an epoch and is cut with the epochs; what was drawn is drawn
    before, so that the result does not depend on the blocks. Only a processor works in blocks.
    """

    @wraps(operation)
    def in_turn(x: Tensor, *others: Any, **options: Any) -> Tensor:
        rows = max(1, SAMPLES // x[0].numel())
        if x.device.type != "cpu" or len(x) <= rows:
            return operation(x, *others, **options)
        result = torch.empty_like(x, memory_format=torch.contiguous_format)
        for start in range(0, len(x), rows):
            block = slice(start, start + rows)
            cut = (each[block] if isinstance(each, torch.Tensor) else each for each in others)
            result[block] = operation(x[block], *cut, **options)
        return result

    return in_turn
