"""The encoder that the published study's README prints, which is not the one of its code."""

from torch import Tensor

from sleepsweep.learn.encoders.base import Encoder
from sleepsweep.learn.encoders.convolution import Stages, head, stage


class DilatedSleepNet(Encoder):
    """The README's SimpleSleepNet (Gupta 2025): three short kernels, 89,344 parameters by default.

    Convolutions 1→32, 32→64 and 64→128 with kernels of 7, stride 1 and dilations 1, 2 and 4, so
    that an epoch keeps its length; all else is SimpleSleepNet's. The printed count is that of
    convolutions with bias; without, it would be 89,120. Less than half of the parameters of
    SimpleSleepNet, and eleven times its arithmetic.
    """

    batches = True

    def __init__(self, channels: int = 1, latent_dim: int = 128, dropout: float = 0.2) -> None:
        super().__init__(latent_dim)
        self.convolutions = Stages(
            *stage(channels, 32, 7, dropout, stride=1, padding=3, dilation=1, bias=True),
            *stage(32, 64, 7, dropout, stride=1, padding=6, dilation=2, bias=True),
            *stage(64, 128, 7, dropout, stride=1, padding=12, dilation=4, bias=True),
        )
        self.head = head(128, latent_dim, dropout)

    def features(self, epochs: Tensor) -> Tensor:
        """Map epochs (batch, channel, time) to features (batch, latent_dim)."""
        pooled: Tensor = self.head(self.convolutions(epochs).mean(dim=-1))
        return pooled
