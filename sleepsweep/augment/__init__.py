"""Augmentations of epochs: one class each, in the file of its category; the tree is the taxonomy.

Importing a category's file registers what is in it, in the order of the report.
"""

from sleepsweep.augment.base import (
    Augmentation,
    Dial,
    Signal,
    augmentation,
    augmentations,
)
from sleepsweep.augment.parameters import Parameter, of_signal, parameter, parameters

# isort: split
from sleepsweep.augment.amplitude import RandomAmplitudeScaling, RandomDCShift, SignFlip
from sleepsweep.augment.frequency import RandomBandStopFilter, TailoredMixup
from sleepsweep.augment.masking import CutoutResize, RandomZeroMasking
from sleepsweep.augment.noise import AverageFiltering, RandomAdditiveGaussianNoise
from sleepsweep.augment.temporal import Permutation, RandomTimeShift, TimeReversal, TimeWarping

# isort: split
from sleepsweep.augment.placebo import Placebo
from sleepsweep.augment.policy import Member, Policy

__all__ = [
    "Augmentation",
    "AverageFiltering",
    "CutoutResize",
    "Dial",
    "Member",
    "Parameter",
    "Permutation",
    "Placebo",
    "Policy",
    "RandomAdditiveGaussianNoise",
    "RandomAmplitudeScaling",
    "RandomBandStopFilter",
    "RandomDCShift",
    "RandomTimeShift",
    "RandomZeroMasking",
    "SignFlip",
    "Signal",
    "TailoredMixup",
    "TimeReversal",
    "TimeWarping",
    "augmentation",
    "augmentations",
    "of_signal",
    "parameter",
    "parameters",
]
