"""Augmentations of epochs: one class each, in the file of its category; the tree is the taxonomy.

Importing a category's file registers what is in it, in the order of the report. Torch is imported
when the first of them is called, or when the one name is asked for that is a module of torch's.
"""

from typing import TYPE_CHECKING, Any

from sleepsweep.augment.base import Augmentation, Dial, Signal
from sleepsweep.augment.parameters import (
    Parameter,
    alternative,
    check_alternatives,
    of_signal,
    parameter,
    parameters,
)
from sleepsweep.augment.registry import augmentation, augmentations

# isort: split
from sleepsweep.augment.amplitude import RandomAmplitudeScaling, RandomDCShift, SignFlip
from sleepsweep.augment.frequency import (
    FrequencyShift,
    FTSurrogate,
    RandomBandStopFilter,
    TailoredMixup,
)
from sleepsweep.augment.masking import (
    ChannelsDropout,
    CutoutResize,
    RandomZeroMasking,
    SmoothTimeMask,
)
from sleepsweep.augment.noise import AverageFiltering, RandomAdditiveGaussianNoise
from sleepsweep.augment.temporal import Permutation, RandomTimeShift, TimeReversal, TimeWarping

# isort: split
from sleepsweep.augment.placebo import Placebo
from sleepsweep.augment.policy import Member, Policy, batch_partners

if TYPE_CHECKING:
    from sleepsweep.augment.transform import PolicyTransform

__all__ = [
    "Augmentation",
    "AverageFiltering",
    "ChannelsDropout",
    "CutoutResize",
    "Dial",
    "FTSurrogate",
    "FrequencyShift",
    "Member",
    "Parameter",
    "Permutation",
    "Placebo",
    "Policy",
    "PolicyTransform",
    "RandomAdditiveGaussianNoise",
    "RandomAmplitudeScaling",
    "RandomBandStopFilter",
    "RandomDCShift",
    "RandomTimeShift",
    "RandomZeroMasking",
    "SignFlip",
    "Signal",
    "SmoothTimeMask",
    "TailoredMixup",
    "TimeReversal",
    "TimeWarping",
    "alternative",
    "augmentation",
    "augmentations",
    "batch_partners",
    "check_alternatives",
    "of_signal",
    "parameter",
    "parameters",
]


def __getattr__(name: str) -> Any:
    if name == "PolicyTransform":
        from sleepsweep.augment.transform import PolicyTransform

        return PolicyTransform
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
