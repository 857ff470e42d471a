"""What an encoder is: a network that registers itself by name and gives unit-length embeddings."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from sleepsweep.learn.precision import at_least_float32
from sleepsweep.learn.registry import Registry


class Encoder(nn.Module, ABC):
    """Base of every encoder; a subclass takes channels, latent_dim and dropout by keyword.

    A subclass implements `features` for any number of channels and any length of an epoch. Its name
    in the YAML is that of the class. Subclass with ``abstract=True`` for one that is not to be
    named there.

    `batches` says that `torch.vmap` can take it through the weights of several runs at once: it
    trains all its parameters, draws by `torch.nn.Dropout` alone, and reads no number out of a
    tensor. Runs of an encoder that does not say so train one after the other.
    """

    batches: ClassVar[bool] = False

    def __init_subclass__(cls, abstract: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not abstract:
            ENCODERS.add(cls.__name__, cls)

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim

    @abstractmethod
    def features(self, epochs: Tensor) -> Tensor:
        """Map epochs (batch, channel, time) to features (batch, latent_dim) of any length."""

    def forward(self, epochs: Tensor) -> Tensor:
        """Map epochs (batch, channel, time) to embeddings (batch, latent_dim) of length 1."""
        return F.normalize(at_least_float32(self.features(epochs)), dim=-1)


ENCODERS: Registry[Encoder] = Registry("encoder", "sleepsweep.encoders")
"""Every encoder by its name."""
