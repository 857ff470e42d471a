"""Training with labels: what the same encoder reaches where every epoch's stage is told."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sleepsweep.learn.pretrain import Axes, Gather
from sleepsweep.seeds import numpy_generator, stream

StagesOf = Callable[[NDArray[np.int64]], NDArray[np.int8]]

# Embeddings have length 1: a scale lets the softmax become certain.
SCALE = 10


def train_with_labels(
    encoder: nn.Module, width: int, gather: Gather, stages: StagesOf, rows: NDArray[np.int64],
    *, steps: int, batch_size: int, learning_rate: float, axes: Axes,
) -> nn.Module:  # fmt: skip
    """Train `encoder` and a linear layer on it with cross-entropy; return both as one network.

    The encoder maps epochs to embeddings (batch, width) of length 1, the network to logits (batch,
    5), here and there without the scale of training. Batches are drawn from `rows`, anew for each
    step; the learning rate (Adam) falls along a cosine. All draws are named by `axes`.
    """
    size = min(batch_size, len(rows))
    order = numpy_generator("labelled", **axes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream("labelled", **axes))
        network = nn.Sequential(encoder, nn.Linear(width, 5)).train()
        optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for _ in range(steps):
            batch = order.choice(rows, size, replace=False)
            logits = SCALE * network(torch.from_numpy(gather(batch)))
            truth = torch.from_numpy(stages(batch)).long()
            optimiser.zero_grad()
            nn.functional.cross_entropy(logits, truth).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network
