"""Training with labels: a classifier on an encoder, and as much of the encoder as is asked for.

From a pretrained encoder this is fine-tuning; with frozen layers the published classifier; from an
encoder's first weights supervised learning from scratch.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from sleepsweep.learn.classifiers import ClassifierName, build_classifier
from sleepsweep.learn.device import global_draws_kept
from sleepsweep.learn.pretrain import Axes
from sleepsweep.learn.probe import Stages
from sleepsweep.learn.rows import Gather
from sleepsweep.learn.staging import Staging
from sleepsweep.metrics import STAGES, confusion, macro_f1
from sleepsweep.part import PartSpec
from sleepsweep.seeds import numpy_generator, stream

Rows = NDArray[np.int64]
StagesOf = Callable[[Rows], Stages]

CHECKS = 10
"""Where no interval is given."""


class FinetuneSpec(PartSpec):
    """The YAML's ``finetune``: what is trained with labels, on how many of them, for how long.

    Learning rates fall along a cosine. What is frozen is in evaluation mode, batch norm included.
    """

    layers: Literal["all", "last", "none"] = "all"
    """What of the encoder is trained: all, the last of its parts that has weights, nothing."""
    classifier: ClassifierName = "mlp"
    """The head on the encoder."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.5
    """The rate of dropout in the classifier."""
    steps: Annotated[int, Field(ge=1)] = 1000
    """Steps of the optimiser, to the end."""
    batch_size: Annotated[int, Field(ge=2)] = 256
    """Epochs of a step."""
    learning_rate: Annotated[float, Field(gt=0.0)] = 1.0e-3
    """Of the classifier."""
    encoder_learning_rate: Annotated[float, Field(gt=0.0)] | None = None
    """Of the encoder; null: the same."""
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0
    """Decoupled from the gradient (AdamW)."""
    class_weights: Literal["none", "balanced"] = "none"
    """Balanced weighs a stage by the reciprocal of its share."""
    label_fraction: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """The share of the training subjects whose labels are read, drawn as the probe's."""
    check_interval: Annotated[int, Field(ge=1)] | None = None
    """Steps between checks that may stop it and keep the best network; null: none do."""
    min_improvement: Annotated[float, Field(ge=0.0)] = 0.005
    """By how much the validation macro-F1 of a check must be above the best one before."""


@dataclass(frozen=True)
class Labelled:
    """Epochs with their stages: `gather` and `stages` read those of `rows`."""

    gather: Gather
    stages: StagesOf
    rows: Rows


@dataclass(frozen=True)
class Check:
    """Where training stands: the mean loss since the check before, and the held-out macro-F1."""

    step: int
    loss: float
    macro_f1: float


def build_staging(encoder: nn.Module, width: int, spec: FinetuneSpec, weights_seed: int) -> Staging:
    """Return `encoder`, of embeddings (batch, width), with a classifier whose weights are drawn.

    The draw depends on `weights_seed` alone.
    """
    return Staging(encoder, build_classifier(spec.classifier, width, spec.dropout, weights_seed))


def fine_tune(
    network: Staging, spec: FinetuneSpec, training: Labelled, axes: Axes, *,
    validation: Labelled | None = None, on_check: Callable[[Check], None] = lambda check: None,
) -> list[Check]:  # fmt: skip
    """Train `network` with cross-entropy, in place; return the checks, ten where none are asked.

    Without `validation` epochs there is no check. All draws are named by `axes`. The checks end
    where a loss is NaN, which is an outcome and no error.
    """
    run, checks, best = _Run(network, spec, training, axes), list[Check](), None
    interval = spec.check_interval or math.ceil(spec.steps / CHECKS)
    if validation is None:
        run.train(spec.steps)
        return checks
    while run.step < spec.steps:
        loss = run.train(min(run.step + interval, spec.steps))
        truth = validation.stages(validation.rows)
        guessed = network.stage(validation.gather, validation.rows)
        check = Check(run.step, loss, macro_f1(confusion(truth, guessed)))
        checks.append(check)
        on_check(check)
        if not np.isfinite(loss):
            break
        before = max((done.macro_f1 for done in checks[:-1]), default=-np.inf)
        if spec.check_interval is None or check.macro_f1 > before:
            best = deepcopy(network.state_dict())
        if spec.check_interval is not None and check.macro_f1 < before + spec.min_improvement:
            break
    if best is not None:
        network.load_state_dict(best)
    return checks


class _Run:
    """A network in training: its optimiser and the number of steps done."""

    def __init__(
        self, network: Staging, spec: FinetuneSpec, training: Labelled, axes: Axes
    ) -> None:
        self.network, self.spec, self.training, self.axes = network, spec, training, axes
        self.step = 0
        self._trained = _trained_parts(network.encoder, spec.layers)
        self.device = next(network.parameters()).device
        encoder = [weight for part in self._trained for weight in part.parameters()]
        groups = [
            {"params": list(network.classifier.parameters()), "lr": spec.learning_rate},
            {"params": encoder, "lr": spec.encoder_learning_rate or spec.learning_rate},
        ]
        self._optimiser = torch.optim.AdamW(groups, weight_decay=spec.weight_decay)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimiser, spec.steps)
        self._weights = _class_weights(training.stages(training.rows), spec.class_weights)

    def train(self, until: int) -> float:
        """Train up to a step; return the mean loss on the way, NaN if one was."""
        self._set_modes()
        first, losses = self.step, 0.0
        with global_draws_kept(self.device), _frozen_but(self.network.encoder, self._trained):
            while self.step < until:
                losses += self._one_step()
        return losses / max(self.step - first, 1)

    def _one_step(self) -> float:
        torch.manual_seed(stream("dropout with labels", step=self.step, **self.axes))
        order = numpy_generator("labelled batch", step=self.step, **self.axes)
        rows = self.training.rows
        batch = order.choice(rows, min(self.spec.batch_size, len(rows)), replace=False)
        epochs = torch.from_numpy(self.training.gather(batch)).to(self.device)
        truth = torch.from_numpy(self.training.stages(batch)).long().to(self.device)
        weights = self._weights.to(self.device)
        loss = nn.functional.cross_entropy(self.network(epochs), truth, weights)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._schedule.step()
        self.step += 1
        return float(loss.detach())

    def _set_modes(self) -> None:
        self.network.eval()
        for part in (*self._trained, self.network.classifier):
            part.train()


def _trained_parts(encoder: nn.Module, layers: str) -> list[nn.Module]:
    if layers == "last":
        return [_last_block(encoder)]
    return [encoder] if layers == "all" else []


def _last_block(network: nn.Module) -> nn.Module:
    """The last part of a network that has weights, of those that it is first divided into."""
    parts = [part for part in network.children() if any(True for _ in part.parameters())]
    if not parts:
        return network
    # What only wraps another network is not divided.
    return parts[-1] if len(parts) > 1 else _last_block(parts[0])


@contextmanager
def _frozen_but(encoder: nn.Module, trained: list[nn.Module]) -> Iterator[None]:
    encoder.requires_grad_(False)
    for part in trained:
        part.requires_grad_(True)
    yield
    encoder.requires_grad_(True)


def _class_weights(stages: Stages, how: str) -> Tensor:
    counts = np.bincount(stages, minlength=len(STAGES))
    if how == "none":
        return torch.ones(len(STAGES))
    # A stage that is absent weighs nothing: no epoch has it.
    share = counts / counts.sum() * np.count_nonzero(counts)
    return torch.tensor(np.divide(1.0, share, where=counts > 0, out=np.zeros(len(STAGES)))).float()
