"""The encoder of the published study."""

import torch.nn.functional as F
from torch import Tensor, nn


class SimpleSleepNet(nn.Module):
    """SimpleSleepNet (Gupta 2025): three dilated convolutions, 215,872 parameters by default.

    Convolutions 1→32 (kernel 64, stride 8), 32→64 (32, stride 4, dilation 2) and 64→128 (16,
    stride 2, dilation 4), without bias, each followed by batch norm, Mish and dropout; global
    average pooling; a linear layer with batch norm, Mish and dropout; L2 normalisation.
    """

    def __init__(self, channels: int = 1, latent_dim: int = 128, dropout: float = 0.2) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *_stage(channels, 32, 64, dropout, stride=8, padding=63, dilation=1),
            *_stage(32, 64, 32, dropout, stride=4, padding=62, dilation=2),
            *_stage(64, 128, 16, dropout, stride=2, padding=60, dilation=4),
        )
        self.head = nn.Sequential(
            nn.Linear(128, latent_dim), nn.BatchNorm1d(latent_dim), nn.Mish(), nn.Dropout(dropout)
        )

    def forward(self, epochs: Tensor) -> Tensor:
        """Map epochs (batch, channel, time) to embeddings (batch, latent_dim) of length 1."""
        pooled = self.convolutions(epochs).mean(dim=-1)
        return F.normalize(self.head(pooled), dim=-1)


def _stage(
    inputs: int, outputs: int, kernel: int, dropout: float, *, stride: int, padding: int,
    dilation: int,
) -> list[nn.Module]:  # fmt: skip
    convolution = nn.Conv1d(
        inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=False
    )
    return [convolution, nn.BatchNorm1d(outputs), nn.Mish(), nn.Dropout(dropout)]
