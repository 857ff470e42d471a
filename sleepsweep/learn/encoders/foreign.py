"""Encoders that are written elsewhere: any module that is named by its dotted path."""

import inspect
from importlib import import_module

from torch import Tensor, nn

from sleepsweep.errors import UserError
from sleepsweep.learn.encoders.base import Encoder

TAKES = ("channels", "latent_dim", "dropout")


class Foreign(Encoder, abstract=True):
    """A module that maps epochs (batch, channel, time) to (batch, latent_dim), made an encoder."""

    def __init__(self, module: nn.Module, latent_dim: int) -> None:
        super().__init__(latent_dim)
        self.module = module

    def features(self, epochs: Tensor) -> Tensor:
        """Return what the module does."""
        features: Tensor = self.module(epochs)
        return features


def class_at(path: str) -> type[nn.Module]:
    """Return the class at ``package.module.ClassName``; nothing is imported before.

    Raises `UserError` where there is no such module or class, and for a class that is no
    `torch.nn.Module` or does not take channels, latent_dim and dropout by keyword.
    """
    module_name, _, name = path.rpartition(".")
    found = getattr(_module(module_name, path), name, None)
    if found is None:
        raise UserError(f"encoder {path}: the module {module_name} has no class {name}.")
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise UserError(f"encoder {path}: is no class derived from torch.nn.Module.")
    try:
        inspect.signature(found).bind(**dict.fromkeys(TAKES))
    except TypeError as error:
        raise UserError(
            f"encoder {path}: must be callable as {name}(channels=..., latent_dim=..., "
            f"dropout=...), but {error}."
        ) from error
    return found


def _module(name: str, path: str) -> object:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # one that the user's module imports
        raise UserError(
            f"encoder {path}: there is no module {error.name}. Install the package it is in, or "
            "name its folder in the environment variable PYTHONPATH."
        ) from error
