"""A network that stages sleep: an encoder and a classifier on its embeddings."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor, nn

from sleepsweep.learn.probe import Gather, Stages, embed_rows


class Staging(nn.Module):
    """Epochs (batch, channel, time) in, logits (batch, 5) of the stages W, N1, N2, N3, R out."""

    def __init__(self, encoder: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.classifier = classifier

    def forward(self, epochs: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.classifier(self.encoder(epochs))
        return logits

    def stage(self, gather: Gather, rows: NDArray[np.int64]) -> Stages:
        """Return the stages 0–4 of the epochs that `gather` returns of `rows`."""
        return np.asarray(embed_rows(self, gather, rows).argmax(axis=1), dtype=np.int8)

    def probabilities(self, gather: Gather, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the probabilities (epoch, 5) of the stages of the epochs that `gather` returns."""
        return np.asarray(softmax(embed_rows(self, gather, rows), axis=1))
