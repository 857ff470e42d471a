"""What every classifier is, and how it is found by its name."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import AfterValidator
from torch import nn

from sleepsweep.learn.registry import Registry


class Classifier(nn.Module):
    """Base of classifiers: embeddings (batch, width) in, logits (batch, 5) of the stages out.

    A subclass has a `name` for the YAML, and is made from the width and a dropout rate.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        CLASSIFIERS.add(cls.name, cls)

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()


CLASSIFIERS: Registry[Classifier] = Registry("classifier", "sleepsweep.classifiers")
"""Every classifier by its name."""


def build_classifier(name: str, width: int, dropout: float, weights_seed: int) -> Classifier:
    """Return the classifier of that name with weights drawn from `weights_seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(weights_seed)
        return CLASSIFIERS.get(name)(width, dropout)


ClassifierName = Annotated[str, AfterValidator(CLASSIFIERS.checked)]
"""The type of a YAML key that names a classifier."""
