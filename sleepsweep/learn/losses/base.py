"""What a loss is: a frozen dataclass that registers itself, called on two views' embeddings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from sleepsweep.learn.precision import at_least_float32
from sleepsweep.learn.registry import Registry
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Loss(ABC):
    """Base of every loss; a subclass is a frozen dataclass with a `name`, and implements `of`.

    A field that is called as a key of the YAML's ``pretrain`` gets that key's value. `unit_length`
    says that it is defined on embeddings of length 1, `needs_projector` that it must not be given
    such. `batches` says that `torch.vmap` can take it through several runs at once, with other
    numbers in its fields for each: it reads none out of a tensor.
    """

    name: ClassVar[str]
    unit_length: ClassVar[bool] = False
    needs_projector: ClassVar[bool] = False
    batches: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        LOSSES.add(cls.name, cls)

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the loss, a scalar, of the embeddings (batch, latent_dim) of two views.

        Row *i* of both is of the same epoch. Computed in float32 at least, under autocast too.
        """
        with torch.autocast(first.device.type, enabled=False):
            return self.of(at_least_float32(first), at_least_float32(second))

    @abstractmethod
    def of(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the loss of embeddings in float32 or float64."""


LOSSES: Registry[Loss] = Registry("loss", "sleepsweep.losses")
"""Every loss by its name."""


def loss_of(name: str, keys: Any) -> Loss:
    """Return the loss of a name; its fields are set from the attributes of `keys` named alike.

    Raises `UserError` for an unknown name.
    """
    kind = LOSSES.get(name)
    shared = [field.name for field in fields(kind) if hasattr(keys, field.name)]
    return kind(**{field: getattr(keys, field) for field in shared})
