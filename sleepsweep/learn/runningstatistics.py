"""What a batch norm remembers of the batches that it was trained on."""

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def remember(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Take a batch's mean and unbiased variance, (channel,), into the running statistics."""
    if norm.running_mean is None or norm.running_var is None:
        return
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked += 1
    part = norm.momentum if norm.momentum is not None else 1 / int(norm.num_batches_tracked)
    norm.running_mean.mul_(1 - part).add_(mean.to(norm.running_mean.dtype) * part)
    norm.running_var.mul_(1 - part).add_(variance.to(norm.running_var.dtype) * part)
