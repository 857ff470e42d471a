"""The classifier of the published study."""

from typing import ClassVar

from torch import Tensor, nn

from sleepsweep.learn.classifiers.base import Classifier
from sleepsweep.learn.dropout import Dropout
from sleepsweep.metrics import STAGES


class MLPClassifier(Classifier):
    """The published multilayer perceptron (Gupta 2025): width → 256 → 128 → 5.

    The first two layers are followed by batch norm, Mish and dropout.
    """

    name: ClassVar[str] = "mlp"

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(width, dropout)
        self.layers = nn.Sequential(
            *_stage(width, 256, dropout), *_stage(256, 128, dropout), nn.Linear(128, len(STAGES))
        )

    def forward(self, embeddings: Tensor) -> Tensor:
        """Map embeddings (batch, width) to logits (batch, 5)."""
        logits: Tensor = self.layers(embeddings)
        return logits


def _stage(inputs: int, outputs: int, dropout: float) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.Mish(), Dropout(dropout)]
