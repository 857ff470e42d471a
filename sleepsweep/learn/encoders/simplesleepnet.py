"""The encoder of the published study, as its code has it."""

from torch import Tensor

from sleepsweep.learn.encoders.base import Encoder
from sleepsweep.learn.encoders.convolution import Stages, head, stage


class SimpleSleepNet(Encoder):
    """SimpleSleepNet (Gupta 2025): three dilated convolutions, 215,872 parameters by default.

    Convolutions 1→32 (kernel 64, stride 8), 32→64 (32, stride 4, dilation 2) and 64→128 (16,
    stride 2, dilation 4), without bias, each followed by batch norm, Mish and dropout; global
    average pooling; a linear layer with batch norm, Mish and dropout; L2 normalisation.
    """

    batches = True

    def __init__(self, channels: int = 1, latent_dim: int = 128, dropout: float = 0.2) -> None:
        super().__init__(latent_dim)
        self.convolutions = Stages(
            *stage(channels, 32, 64, dropout, stride=8, padding=63, dilation=1, bias=False),
            *stage(32, 64, 32, dropout, stride=4, padding=62, dilation=2, bias=False),
            *stage(64, 128, 16, dropout, stride=2, padding=60, dilation=4, bias=False),
        )
        self.head = head(128, latent_dim, dropout)

    def features(self, epochs: Tensor) -> Tensor:
        """Map epochs (batch, channel, time) to features (batch, latent_dim)."""
        pooled: Tensor = self.head(self.convolutions(epochs).mean(dim=-1))
        return pooled
