"""The linear classifier."""

from typing import ClassVar

from torch import Tensor, nn

from sleepsweep.learn.classifiers.base import Classifier
from sleepsweep.learn.dropout import Dropout
from sleepsweep.metrics import STAGES

# Embeddings have length 1: a scale lets the softmax become certain.
SCALE = 10.0


class LinearClassifier(Classifier):
    """One linear layer on embeddings that are scaled to length 10; dropout before it."""

    name: ClassVar[str] = "linear"

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(width, dropout)
        self.dropout = Dropout(dropout)
        self.linear = nn.Linear(width, len(STAGES))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Map embeddings (batch, width) to logits (batch, 5)."""
        logits: Tensor = self.linear(self.dropout(SCALE * embeddings))
        return logits
