from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.learn.probe import embed
from sleepsweep.learn.supervised import train_with_labels

Trained = Callable[..., NDArray[np.int64]]
RATES_HZ = np.array([2.0, 6.0, 10.0, 14.0, 22.0])


@pytest.fixture(scope="module")
def epochs() -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Sixty epochs of 6 s: each stage a sine of its own in noise."""
    generator = np.random.default_rng(0)
    stages = (np.arange(60) % 5).astype(np.int8)
    phase = generator.uniform(0, 6, (60, 1))
    signal = np.sin(2 * np.pi * RATES_HZ[stages][:, None] * np.arange(600) / 100 + phase)
    return (signal + generator.normal(0, 0.3, signal.shape))[:, None].astype(np.float32), stages


def trained(epochs: tuple[NDArray[np.float32], NDArray[np.int8]], rows: int, seed: int) -> object:
    signals, stages = epochs
    return train_with_labels(
        EncoderSpec(latent_dim=16).build(1, 3), 16, lambda some: signals[some],
        lambda some: stages[some], np.arange(rows), steps=60, batch_size=32, learning_rate=3e-3,
        axes={"seed": seed},
    )  # fmt: skip


def test_it_learns_what_can_be_told(
    epochs: tuple[NDArray[np.float32], NDArray[np.int8]],
) -> None:
    network = trained(epochs, 40, 0)
    guessed = embed(network, epochs[0][40:]).argmax(axis=1)  # type: ignore[arg-type]
    assert (guessed == epochs[1][40:]).mean() > 0.8


def test_draws_are_named_by_the_axes_and_leave_others_alone(
    epochs: tuple[NDArray[np.float32], NDArray[np.int8]],
) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    logits = [embed(trained(epochs, 20, seed), epochs[0]) for seed in (0, 0, 1)]  # type: ignore[arg-type]
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(logits[0], logits[1])
    assert not np.array_equal(logits[0], logits[2])
