"""Contrastive pretraining, counted in optimiser steps and resumable bit for bit.

Pretraining is handed a function *(epochs, generator) → two views* and never learns what an
augmentation is. No generator is stored: the draws of step *n* come from streams named by *n*, so
the networks, the optimiser and the step count are the whole state of a run.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Generator, Tensor

from sleepsweep.learn.device import global_draws_kept, moved
from sleepsweep.learn.encoders import Encoder
from sleepsweep.learn.precision import at_least_float32
from sleepsweep.learn.pretrainspec import PretrainSpec
from sleepsweep.learn.projector import build_projector
from sleepsweep.learn.rows import Gather, spread_evenly
from sleepsweep.seeds import Axis, numpy_generator, stream

__all__ = ["Axes", "PretrainSpec", "Pretraining", "Streams", "Views"]

Views = Callable[[Tensor, Generator], tuple[Tensor, Tensor]]
Axes = dict[str, Axis]

NETWORKS = ("encoder", "projector")
VALIDATION_EPOCHS = 2000
"""Epochs at most that a validation loss is computed on, spread evenly over those it is given."""


@dataclass(frozen=True)
class Streams:
    """The axes of a run's randomness: `block` for batch order and dropout, `views` for the views.

    Trials of one block see the same batches in the same order whatever their policy.
    """

    block: Axes
    views: Axes


class Pretraining:
    """One pretraining run: an encoder, its projector and optimiser, and the number of steps done.

    It computes where the encoder is: move that to a device first.
    """

    def __init__(
        self, encoder: Encoder, spec: PretrainSpec, views: Views, streams: Streams
    ) -> None:
        self.encoder = encoder
        self.spec = spec
        self.views = views
        self.streams = streams
        self.loss = spec.build_loss()
        weights = stream("weights", part="projector", **streams.block)
        self.projector = build_projector(
            spec.projector, encoder.latent_dim, spec.projector_dim, weights
        ).to(self.device)
        self._parameters = [*encoder.parameters(), *self.projector.parameters()]
        # Without decay AdamW is Adam, bit for bit.
        self.optimiser = torch.optim.AdamW(
            self._parameters, lr=spec.learning_rate, weight_decay=spec.weight_decay
        )
        self.step = 0

    @property
    def device(self) -> torch.device:
        """Where the encoder is."""
        return next(self.encoder.parameters()).device

    def run(self, gather: Gather, rows: NDArray[np.int64], until: int) -> float:
        """Train up to step `until` on the epochs of `rows`; return the mean loss of these steps.

        `gather` maps row numbers to epochs (batch, channel, time). The loss is NaN as soon as one
        step's is: a diverged run is an outcome, for the caller to record.
        """
        self.train(True)
        first, device = self.step, self.device
        # Summed where they are: a GPU need not wait at every step for its loss to be read.
        losses = torch.zeros((), dtype=torch.float64, device=device)
        with global_draws_kept(device):
            while self.step < until:
                losses += self.advance(moved(gather(self.next_batch(rows)), device))
        return float(losses) / max(self.step - first, 1)

    def next_batch(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of `rows` that the next step trains on."""
        # Passes over the data are shuffled one by one; what is left of a pass after its last full
        # batch waits for another pass, as a smaller batch would change the loss.
        size = min(self.spec.batch_size, len(rows))
        batches = len(rows) // size
        block = tuple(sorted(self.streams.block.items()))
        order = _order_of_pass(len(rows), self.step // batches, block)
        start = self.step % batches * size
        return rows[order[start : start + size]]

    def next_views(self, epochs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two views that the next step sees of its epochs (batch, channel, time)."""
        return self._drawn(epochs, stream("views", step=self.step, **self.streams.views))

    @property
    def dropout_seed(self) -> int:
        """Of torch's global generator, from which dropout draws, at the next step."""
        return stream("dropout", step=self.step, **self.streams.block)

    def loss_of(self, one: Tensor, two: Tensor) -> Tensor:
        """Return the loss of two views (batch, channel, time) of the same epochs."""
        return self.loss(self._projected(one), self._projected(two))

    def advance(self, epochs: Tensor) -> Tensor:
        """Take the next step, on epochs (batch, channel, time) of `next_batch`; return its loss.

        Networks are in training. Torch's global generator is seeded, for the caller to restore.
        """
        torch.manual_seed(self.dropout_seed)
        loss = self.loss_of(*self.next_views(epochs))
        self.optimiser.zero_grad()
        self._backward(loss)
        if self.spec.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._parameters, self.spec.clip_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = self.spec.rate(self.step)
        self.optimiser.step()
        self.step += 1
        return loss.detach()

    def train(self, training: bool) -> None:
        """Put the networks into training, or out of it."""
        self.encoder.train(training)
        self.projector.train(training)

    def validation_loss(self, gather: Gather, rows: NDArray[np.int64]) -> float:
        """Return the mean loss of batches of `rows`, which are not trained on, without dropout.

        Whenever it is called, batches and views are the same. At most 2,000 epochs are read, in
        full batches only. Raises `ValueError` for fewer than two rows, which have no loss.
        """
        if len(rows) < 2:
            raise ValueError(f"a validation loss needs two epochs at least; there are {len(rows)}")
        self.train(False)
        device, losses = self.device, []
        with torch.inference_mode(), global_draws_kept(device):
            for number, batch in enumerate(self._validation_batches(rows)):
                seed = stream("validation views", batch=number, **self.streams.views)
                one, two = self._drawn(moved(gather(batch), device), seed)
                losses.append(float(self.loss_of(one, two)))
        return float(np.mean(losses))

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs, as tensors and plain values."""
        return {
            "step": self.step,
            "encoder": self.encoder.state_dict(),
            "projector": self.projector.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.encoder.load_state_dict(state["encoder"])
        # There was no projector once.
        self.projector.load_state_dict(state.get("projector", {}))
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    def networks(self) -> dict[str, Any]:
        """A copy of the weights of encoder and projector, which training leaves as it is."""
        return {name: deepcopy(getattr(self, name).state_dict()) for name in NETWORKS}

    def restore_networks(self, state: dict[str, Any]) -> None:
        """Put back what `networks` returned; optimiser and step stay."""
        for name in NETWORKS:
            getattr(self, name).load_state_dict(state[name])

    def _validation_batches(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        rows = spread_evenly(rows, VALIDATION_EPOCHS)
        size = min(self.spec.batch_size, len(rows))
        order = numpy_generator("validation batches", **self.streams.block).permutation(len(rows))
        starts = range(0, len(rows) - size + 1, size)
        return [rows[order[start : start + size]] for start in starts]

    def _backward(self, loss: Tensor) -> None:
        loss.backward()  # type: ignore[no-untyped-call]

    def _drawn(self, epochs: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        return self.views(epochs, Generator(device=epochs.device).manual_seed(seed))

    def _projected(self, view: Tensor) -> Tensor:
        half = self.spec.precision == "bfloat16"
        with torch.autocast(view.device.type, dtype=torch.bfloat16, enabled=half):
            embeddings: Tensor = self.encoder(view)
            if self.spec.projector == "none":
                return embeddings
            projections = at_least_float32(self.projector(embeddings))
        return F.normalize(projections, dim=-1) if self.loss.unit_length else projections


# Of 150,000 epochs it takes 3 ms, which each step of each trial of a block would need.
@lru_cache(maxsize=64)
def _order_of_pass(
    length: int, number: int, block: tuple[tuple[str, Axis], ...]
) -> NDArray[np.int64]:
    order = numpy_generator("batches", passes=number, **dict(block)).permutation(length)
    order.flags.writeable = False
    return order
