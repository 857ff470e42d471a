"""The YAML's ``encoder``."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from sleepsweep.learn.encoders.simplesleepnet import SimpleSleepNet
from sleepsweep.part import PartSpec


class EncoderSpec(PartSpec):
    """The YAML's ``encoder``: which network, how wide its embedding, how much dropout."""

    name: Literal["SimpleSleepNet"] = "SimpleSleepNet"
    latent_dim: Annotated[int, Field(ge=2, le=4096)] = 128
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2

    def build(self, channels: int, weights_seed: int) -> nn.Module:
        """Return the encoder with weights drawn from `weights_seed` alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(weights_seed)
            return SimpleSleepNet(channels, self.latent_dim, self.dropout)
