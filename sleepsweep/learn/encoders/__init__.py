"""Encoders: 30-s epochs in, unit-length embeddings out.

One class in one file each. A new file of this package is a new encoder: it is found by itself.
"""

from sleepsweep.learn.encoders.base import ENCODERS, Encoder
from sleepsweep.learn.encoders.simplesleepnet import SimpleSleepNet
from sleepsweep.learn.encoderspec import EncoderSpec
from sleepsweep.learn.registry import import_all

__all__ = ["ENCODERS", "Encoder", "EncoderSpec", "SimpleSleepNet"]

import_all(__name__, __path__)
