"""Which runs one batched program can train: the same computation, on numbers of their own."""

from collections.abc import Hashable
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray
from torch import nn

from sleepsweep.learn.losses import Loss
from sleepsweep.learn.pretrain import Pretraining


def likeness(run: Pretraining, rows: NDArray[np.int64]) -> Hashable | None:
    """Return what is equal for runs that can be batched; None for a run that cannot be.

    They may differ in policy, seeds, learning rate and its schedule, decay, clipping, the rates of
    dropout, the numbers of the loss (such as a temperature), and where they stand. Encoder and loss
    must say of themselves that they can be batched.
    """
    if type(run) is not Pretraining or not (run.encoder.batches and run.loss.batches):
        return None
    networks = (run.encoder, run.projector)
    return (
        run.device,
        run.spec.precision,
        min(run.spec.batch_size, len(rows)),
        type(run.loss),
        tuple(each for each in vars(run.loss).items() if each[0] not in numbers(run.loss)),
        tuple(_layer(*named) for network in networks for named in network.named_modules()),
        tuple(
            (name, tuple(value.shape), value.dtype)
            for network in networks
            for name, value in network.state_dict().items()
        ),
    )


def numbers(loss: Loss) -> list[str]:
    """Return the names of a loss's fields that may differ within a batched program."""
    return [field.name for field in fields(loss) if isinstance(getattr(loss, field.name), float)]


def _layer(name: str, layer: nn.Module) -> Hashable:
    return name, type(layer), "" if isinstance(layer, nn.Dropout) else layer.extra_repr()
