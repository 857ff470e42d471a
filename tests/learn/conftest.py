"""A small pretraining that tests of this part share."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from sleepsweep.learn.encoders import Encoder
from sleepsweep.learn.encoders.convolution import Stages, head, stage
from sleepsweep.learn.pretrain import Pretraining, PretrainSpec, Streams

EPOCHS = np.random.default_rng(0).normal(size=(80, 1, 300)).astype(np.float32)
BLOCK = {"split": 0, "seed": 0}


class Small(Encoder, abstract=True):
    """The shape of the study's encoder, at a hundredth of its cost."""

    batches = True

    def __init__(self) -> None:
        super().__init__(latent_dim=8)
        layers = stage(1, 8, 16, 0.2, stride=8, padding=0, dilation=1, bias=False)
        self.convolutions = Stages(*layers)
        self.head = head(8, 8, 0.2)

    def features(self, epochs: Tensor) -> Tensor:
        """Map epochs (batch, 1, time) to features (batch, 8)."""
        return self.head(self.convolutions(epochs).mean(dim=-1))


def noisy(epochs: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    one, two = (torch.randn(epochs.shape, generator=generator) for _ in range(2))
    return epochs + 0.1 * one, epochs + 0.1 * two


@pytest.fixture
def gather() -> Callable[[NDArray[np.int64]], NDArray[np.float32]]:
    """Epochs (batch, 1, 300) of noise; there are 80."""
    return lambda rows: EPOCHS[rows]


@pytest.fixture
def pretraining() -> Callable[..., Pretraining]:
    """Return a pretraining of a small encoder, with other settings if asked."""

    def build(policy: str = "noise", views: Any = noisy, **changes: Any) -> Pretraining:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            encoder = Small()
        streams = Streams({**BLOCK}, {**BLOCK, "policy": policy})
        spec = PretrainSpec(**{"batch_size": 16, "steps": 9, **changes})
        return Pretraining(encoder, spec, views, streams)

    return build
