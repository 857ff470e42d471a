"""The linear probe: multinomial logistic regression on the features of a frozen encoder."""

from collections.abc import Collection
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sleepsweep.part import PartSpec, Shared
from sleepsweep.seeds import numpy_generator

Features = NDArray[np.float32]
Stages = NDArray[np.int8]


class ProbeSpec(PartSpec):
    """The YAML's ``probe``.

    `C` is the inverse strength of the L2 penalty. `label_fraction` is the share of the training
    subjects whose labels the probe is fitted on, at least one; the encoder is pretrained on all of
    them, without labels. `epochs_per_subject` limits how many epochs of a subject the probe reads,
    spread evenly over the subject's nights (null: all of them): a rung then costs less, for every
    trial on the same epochs.
    """

    kind: Literal["linear"] = "linear"
    C: Annotated[float, Field(gt=0.0)] = 1.0
    label_fraction: Annotated[
        float, Field(gt=0.0, le=1.0), Shared("the trials of a block read the same labels")
    ] = 1.0
    epochs_per_subject: Annotated[
        Annotated[int, Field(ge=10)] | None,
        Shared("the trials of a block are scored on the same epochs"),
    ] = None

    def labelled(self, subjects: Collection[str], *, split: int, seed: int) -> tuple[str, ...]:
        """Return those of the training `subjects` whose labels the probe reads, sorted.

        The draw depends on the names, the number of the split and the seed of the splits (never a
        run's, so that runs on one split read the same labels); those of a smaller share are among
        those of a larger one.
        """
        names = sorted(subjects)
        order = numpy_generator("labelled subjects", split=split, seed=seed).permutation(len(names))
        count = max(1, round(self.label_fraction * len(names)))
        return tuple(sorted(names[place] for place in order[:count]))

    def choose(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of one subject that the probe reads, evenly spread over the nights."""
        if self.epochs_per_subject is None or len(rows) <= self.epochs_per_subject:
            return rows
        places = np.linspace(0, len(rows) - 1, self.epochs_per_subject).round().astype(np.int64)
        return rows[places]

    def predict(self, features: Features, stages: Stages, held_out: Features) -> Stages:
        """Fit on (epoch, latent_dim) features and stages 0–4, and predict the held-out features.

        The optimiser is L-BFGS from zero, so equal input gives equal output. With one stage only
        there is nothing to fit, and that stage is the prediction.
        """
        seen = np.unique(stages)
        if len(seen) == 1:
            return np.full(len(held_out), seen[0], dtype=np.int8)
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=self.C, max_iter=500))
        probe.fit(features, stages)
        return np.asarray(probe.predict(held_out), dtype=np.int8)


def embed(encoder: nn.Module, epochs: NDArray[np.float32], batch_size: int = 256) -> Features:
    """Return the embeddings (epoch, latent_dim) of epochs (epoch, channel, time), without dropout.

    The encoder is put into evaluation mode and stays there.
    """
    encoder.eval()
    device = next(encoder.parameters()).device
    with torch.inference_mode():
        parts = [
            encoder(torch.from_numpy(epochs[start : start + batch_size]).to(device)).cpu()
            for start in range(0, len(epochs), batch_size)
        ]
    return np.asarray(torch.cat(parts).numpy())
