"""The YAML's ``pretrain``."""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from sleepsweep.learn.losses import LOSSES, Loss, loss_of
from sleepsweep.part import PartSpec, Shared, later

Projector = Literal["none", "linear", "mlp"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["float32", "bfloat16"]

SINGLE = Shared(
    "it stops a single pretraining, and the scheduler stops the trials of a sweep",
    "remove this key",
)


class PretrainSpec(PartSpec):
    """The YAML's ``pretrain``: loss, batch, number of optimiser steps and how they are taken."""

    loss: Annotated[str, AfterValidator(LOSSES.checked)] = "nt_xent"
    """What the two views of an epoch are trained by."""
    temperature: Annotated[float, Field(gt=0.0)] = 0.1
    """Of the similarities in nt_xent, which alone reads it."""
    batch_size: Annotated[
        int, Field(ge=2), Shared("the trials of a block see the same batches at every step")
    ] = 256
    """Epochs of a step."""
    steps: Annotated[
        int, Field(ge=1), Shared("rungs compare trials after the same number of steps")
    ] = 2000
    """Steps of the optimiser, to the end."""
    learning_rate: Annotated[float, Field(gt=0.0)] = 1.0e-3
    """Of Adam."""
    projector: Projector = later("none")
    """A head between embedding and loss that is left out afterwards."""
    projector_dim: Annotated[int, Field(ge=2, le=8192)] = later(128)
    """The width of that head."""
    warmup_steps: Annotated[int, Field(ge=0)] = later(0)
    """Steps over which the learning rate rises from 0."""
    schedule: Schedule = later("constant")
    """Then the learning rate stays, or falls along half a cosine to 0 at the last step."""
    weight_decay: Annotated[float, Field(ge=0.0)] = later(0.0)
    """Decoupled from the gradient (AdamW, Loshchilov & Hutter 2019)."""
    clip_norm: Annotated[float, Field(gt=0.0)] | None = later(None)
    """The largest norm of the gradient of all parameters together; null: any."""
    precision: Precision = later("float32")
    """Of convolutions and linear layers; bfloat16 is made for GPUs."""
    check_interval: Annotated[Annotated[int, Field(ge=1)] | None, SINGLE] = later(None)
    """Steps between checks that may stop an experiment; null: ten checks that do not."""
    min_improvement: Annotated[float, Field(ge=0.0), SINGLE] = later(0.005)
    """By how much the validation loss of a check must be below the best one before."""

    @field_validator("projector")
    @classmethod
    def _loss_fits(cls, projector: Projector, info: ValidationInfo) -> Projector:
        loss = info.data.get("loss")
        if projector == "none" and loss is not None and LOSSES.get(loss).needs_projector:
            raise ValueError(
                f"{loss} is not defined on embeddings of length 1: give projector mlp or linear"
            )
        return projector

    @field_validator("warmup_steps")
    @classmethod
    def _warmup_fits(cls, warmup: int, info: ValidationInfo) -> int:
        steps = info.data.get("steps")
        if steps is not None and warmup >= steps:
            raise ValueError(f"warmup_steps {warmup} leaves none of {steps} steps to learn in")
        return warmup

    def build_loss(self) -> Loss:
        """Return the loss with the values that are given for it here."""
        return loss_of(self.loss, self)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, 0 to steps − 1 (cosine: Loshchilov & Hutter 2017)."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        if self.schedule == "constant":
            return self.learning_rate
        done = (step - self.warmup_steps) / (self.steps - self.warmup_steps)
        return self.learning_rate * (1 + math.cos(math.pi * done)) / 2
