"""Contrastive pretraining, counted in optimiser steps and resumable bit for bit.

Pretraining is handed a function *(epochs, generator) → two views* and never learns what an
augmentation is. No generator is stored: the draws of step *n* come from streams named by *n*, so
the network, the optimiser and the step count are the whole state of a run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Generator, Tensor, nn

from sleepsweep.learn.losses.nt_xent import nt_xent
from sleepsweep.part import PartSpec, Shared
from sleepsweep.seeds import Axis, numpy_generator, stream

Views = Callable[[Tensor, Generator], tuple[Tensor, Tensor]]
Gather = Callable[[NDArray[np.int64]], NDArray[np.float32]]
Axes = dict[str, Axis]


class PretrainSpec(PartSpec):
    """The YAML's ``pretrain``: loss, batch, number of optimiser steps and learning rate."""

    loss: Literal["nt_xent"] = "nt_xent"
    temperature: Annotated[float, Field(gt=0.0)] = 0.1
    batch_size: Annotated[
        int, Field(ge=2), Shared("the trials of a block see the same batches at every step")
    ] = 256
    steps: Annotated[
        int, Field(ge=1), Shared("rungs compare trials after the same number of steps")
    ] = 2000
    learning_rate: Annotated[float, Field(gt=0.0)] = 1.0e-3


@dataclass(frozen=True)
class Streams:
    """The axes of a run's randomness: `block` for batch order and dropout, `views` for the views.

    Trials of one block see the same batches in the same order whatever their policy.
    """

    block: Axes
    views: Axes


class Pretraining:
    """One pretraining run: an encoder, its optimiser and the number of steps done."""

    def __init__(
        self, encoder: nn.Module, spec: PretrainSpec, views: Views, streams: Streams
    ) -> None:
        self.encoder = encoder
        self.spec = spec
        self.views = views
        self.streams = streams
        self.optimiser = torch.optim.Adam(encoder.parameters(), lr=spec.learning_rate)
        self.step = 0

    def run(self, gather: Gather, rows: NDArray[np.int64], until: int) -> float:
        """Train up to step `until` on the epochs of `rows`; return the mean loss of these steps.

        `gather` maps row numbers to epochs (batch, channel, time). The loss is NaN as soon as one
        step's is: a diverged run is an outcome, for the caller to record.
        """
        self.encoder.train()
        first, losses = self.step, 0.0
        with torch.random.fork_rng(devices=[]):
            while self.step < until:
                losses += self._one_step(gather(self._batch(rows)))
        return losses / max(self.step - first, 1)

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs, as tensors and plain values."""
        return {
            "step": self.step,
            "encoder": self.encoder.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.encoder.load_state_dict(state["encoder"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    def _batch(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        # Passes over the data are shuffled one by one; what is left of a pass after its last full
        # batch waits for another pass, as a smaller batch would change the loss.
        size = min(self.spec.batch_size, len(rows))
        batches = len(rows) // size
        order = numpy_generator("batches", passes=self.step // batches, **self.streams.block)
        start = self.step % batches * size
        return rows[order.permutation(len(rows))[start : start + size]]

    def _one_step(self, epochs: NDArray[np.float32]) -> float:
        device = next(self.encoder.parameters()).device
        draws = Generator(device=device)
        draws.manual_seed(stream("views", step=self.step, **self.streams.views))
        # Dropout draws from torch's global generator, which run() restores when it ends.
        torch.manual_seed(stream("dropout", step=self.step, **self.streams.block))
        one, two = self.views(torch.from_numpy(epochs).to(device), draws)
        loss = nt_xent(self.encoder(one), self.encoder(two), self.spec.temperature)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())
