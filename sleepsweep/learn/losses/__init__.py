"""Losses of pretraining on two views.

One class in one file each. A new file of this package is a new loss: it is found by itself.
"""

from sleepsweep.learn.losses.base import LOSSES, Loss, loss_of
from sleepsweep.learn.registry import import_all

__all__ = ["LOSSES", "Loss", "loss_of"]

import_all(__name__, __path__)
