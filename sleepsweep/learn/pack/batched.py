"""Runs that are alike, as one program: each operation is computed for all of them at once.

Their weights are the rows of one matrix, and `torch.vmap` takes the network of one run through all
of them: a step is as many operations as one run's, and convolutions become grouped ones. The views
are the exception: each run draws its own, by its own policy.
"""

import math
from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parameters_to_vector

from sleepsweep.learn.device import global_draws_kept
from sleepsweep.learn.pack.adamw import StackedAdamW
from sleepsweep.learn.pack.alike import numbers
from sleepsweep.learn.pack.dropout import Draws, StackedDropout, dropouts
from sleepsweep.learn.pack.inturn import Batches
from sleepsweep.learn.pretrain import Pretraining
from sleepsweep.learn.rows import Gather

Tensors = dict[str, Tensor]


def batched(
    runs: Sequence[Pretraining], gather: Gather, rows: Sequence[NDArray[np.int64]], steps: int
) -> list[float]:
    """Take `steps` steps with every run, all of them at once; see `train_pack`.

    The runs are alike (`likeness`). They are changed in the end, or not at all.
    """
    for run in runs:
        run.train(True)
    with global_draws_kept(runs[0].device):
        stack = _Stack(runs)
        losses = torch.zeros(len(runs), dtype=torch.float64, device=runs[0].device)
        for _ in range(steps):
            losses += stack.advance(gather, rows)
    stack.leave(runs)
    means: list[float] = (losses / max(steps, 1)).tolist()
    return means


class _Stack:
    """What runs hold, a row for each."""

    def __init__(self, runs: Sequence[Pretraining]) -> None:
        # Copies, that count the steps; all else is theirs and the runs', and not changed here.
        self._runs = [copy(run) for run in runs]
        self._draws = Draws(self._runs)
        self._network = _Network(runs[0], self._draws)
        networks = [_networks(run) for run in runs]
        vectors = [parameters_to_vector(each.parameters()) for each in networks]
        self._weights = torch.stack(vectors).detach().requires_grad_()
        self._shapes = {name: each.shape for name, each in networks[0].named_parameters()}
        self._buffers = {
            name: torch.stack([each.get_buffer(name) for each in networks])
            for name, _ in networks[0].named_buffers()
        }
        self._numbers = {
            name: self._weights.new_tensor([getattr(run.loss, name) for run in runs])
            for name in numbers(runs[0].loss)
        }
        self._optimiser = StackedAdamW(runs, self._weights)

    def advance(self, gather: Gather, rows: Sequence[NDArray[np.int64]]) -> Tensor:
        """Take the next step of every run; return their losses (run,)."""
        batches, pairs = Batches(gather), zip(self._runs, rows, strict=True)
        views = [run.next_views(batches.of(run, own)) for run, own in pairs]
        one, two = (torch.stack(each) for each in zip(*views, strict=True))
        self._draws.begin()
        losses = torch.vmap(self._network.loss, randomness="same")(
            self._parameters(), self._buffers, self._draws.drawn_by, one, two, self._numbers
        )
        (gradient,) = torch.autograd.grad(losses.sum(), self._weights)
        self._optimiser.step(
            self._clipped(gradient), [run.spec.rate(run.step) for run in self._runs]
        )
        for run in self._runs:
            run.step += 1
        return losses.detach()

    @torch.no_grad()
    def leave(self, runs: Sequence[Pretraining]) -> None:
        """Give the runs what they would hold had they trained by themselves."""
        stacked = self._parameters() | self._buffers
        for row, (run, own) in enumerate(zip(runs, self._runs, strict=True)):
            networks = _networks(run)
            for name, value in (*networks.named_parameters(), *networks.named_buffers()):
                value.copy_(stacked[name][row])
            run.step = own.step
        self._optimiser.leave(runs)

    def _parameters(self) -> Tensors:
        """The weights by name, each (run, *shape)."""
        parts = torch.split(
            self._weights, [shape.numel() for shape in self._shapes.values()], dim=1
        )
        named = zip(self._shapes.items(), parts, strict=True)
        return {name: part.view(-1, *shape) for (name, shape), part in named}

    def _clipped(self, gradient: Tensor) -> Tensor:
        """Return the gradient (run, parameter), of each run no longer than it may be."""
        limits = [run.spec.clip_norm for run in self._runs]
        if not any(limits):
            return gradient
        most = gradient.new_tensor([limit or math.inf for limit in limits])
        # As torch.nn.utils.clip_grad_norm_ has it.
        factors = (most / (gradient.norm(dim=1) + 1e-6)).clamp(max=1.0)
        return gradient * torch.where(most.isinf(), 1.0, factors)[:, None]


class _Network(nn.Module):
    """From the views of one run to its loss, with the weights of any, to be mapped over runs."""

    def __init__(self, run: Pretraining, draws: Draws) -> None:
        super().__init__()
        # A copy, as its dropouts become others.
        self._run = copy(run)
        self.encoder = self._run.encoder = deepcopy(run.encoder)
        self.projector = self._run.projector = deepcopy(run.projector)
        self._dropouts = [name for name, _ in dropouts(run.encoder)]
        for name in self._dropouts:
            self.encoder.set_submodule(name, StackedDropout(draws, name))

    def loss(
        self, parameters: Tensors, buffers: Tensors, drawn_by: Tensor, one: Tensor, two: Tensor,
        of_loss: Tensors,
    ) -> Tensor:  # fmt: skip
        """Return the loss of a run, which is what it holds, its views and its loss's numbers."""
        own = {f"encoder.{name}.drawn_by": drawn_by for name in self._dropouts}
        loss: Tensor = functional_call(self, (parameters, buffers | own), (one, two, of_loss))
        return loss

    def forward(self, one: Tensor, two: Tensor, of_loss: Tensors) -> Tensor:
        """Return the loss of two views (batch, channel, time)."""
        self._run.loss = replace(self._run.loss, **of_loss)
        return self._run.loss_of(one, two)


def _networks(run: Pretraining) -> nn.ModuleDict:
    return nn.ModuleDict({"encoder": run.encoder, "projector": run.projector})
