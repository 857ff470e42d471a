"""Epochs and generators for the tests of augmentations."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sleepsweep.augment import registry


@pytest.fixture(scope="session")
def seeded() -> Callable[[int], torch.Generator]:
    """Return a function seed → generator at the start of that stream."""
    return lambda seed: torch.Generator().manual_seed(seed)


@pytest.fixture(scope="session")
def epochs() -> Callable[..., Tensor]:
    """Return a function (batch, channels, length) → coloured noise of some 30 units, float64."""

    def make(
        batch: int = 5,
        channels: int = 2,
        length: int = 301,
        dtype: torch.dtype = torch.float64,
        seed: int = 0,
    ) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        white = torch.randn(batch, channels, length, generator=generator, dtype=torch.float64)
        return (20 * white + 30 * white.roll(1, -1) + 5).to(dtype)

    return make


@pytest.fixture
def scratch_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test register classes that no other test sees."""
    monkeypatch.setattr(registry, "_BY_NAME", dict(registry._BY_NAME))
