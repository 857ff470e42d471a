"""Encoders: 30-s epochs in, unit-length embeddings out."""

from sleepsweep.learn.encoders.simplesleepnet import SimpleSleepNet
from sleepsweep.learn.encoders.spec import EncoderSpec

__all__ = ["EncoderSpec", "SimpleSleepNet"]
