"""What every classifier is, and how it is found by its name."""

import difflib
from typing import Annotated, Any, ClassVar

import torch
from pydantic import AfterValidator
from torch import nn

_CLASSIFIERS: dict[str, type["Classifier"]] = {}


class Classifier(nn.Module):
    """Base of classifiers of embeddings (batch, width); a subclass has a `name` for the YAML.

    It is made from the width and a dropout rate. A name used twice raises `ValueError`.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.name in _CLASSIFIERS:
            raise ValueError(f"two classifiers are called {cls.name}")
        _CLASSIFIERS[cls.name] = cls

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()


def classifiers() -> dict[str, type[Classifier]]:
    """Every classifier by its name."""
    return dict(_CLASSIFIERS)


def build_classifier(name: str, width: int, dropout: float, weights_seed: int) -> Classifier:
    """Return the classifier of that name with weights drawn from `weights_seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(weights_seed)
        return _CLASSIFIERS[name](width, dropout)


def _known(name: str) -> str:
    if name not in _CLASSIFIERS:
        near = difflib.get_close_matches(name, _CLASSIFIERS, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ValueError(f"{name!r} is no classifier; {hint}allowed: {', '.join(_CLASSIFIERS)}")
    return name


ClassifierName = Annotated[str, AfterValidator(_known)]
"""The type of a YAML key that names a classifier."""
