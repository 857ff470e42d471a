"""A small pretraining that tests of this part share."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.learn.pretrain import Pretraining, PretrainSpec, Streams

EPOCHS = np.random.default_rng(0).normal(size=(80, 1, 600)).astype(np.float32)
BLOCK = {"split": 0, "seed": 0}


def noisy(epochs: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    one, two = (torch.randn(epochs.shape, generator=generator) for _ in range(2))
    return epochs + 0.1 * one, epochs + 0.1 * two


@pytest.fixture
def gather() -> Callable[[NDArray[np.int64]], NDArray[np.float32]]:
    """Epochs (batch, 1, 600) of noise; there are 80."""
    return lambda rows: EPOCHS[rows]


@pytest.fixture
def pretraining() -> Callable[..., Pretraining]:
    """Return a pretraining of a small encoder, with other settings if asked."""

    def build(policy: str = "noise", views: Any = noisy, **changes: Any) -> Pretraining:
        encoder = EncoderSpec(latent_dim=8).build(1, 0)
        streams = Streams({**BLOCK}, {**BLOCK, "policy": policy})
        spec = PretrainSpec(**{"batch_size": 16, "steps": 9, **changes})
        return Pretraining(encoder, spec, views, streams)

    return build
