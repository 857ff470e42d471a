"""The stage that the encoders of the study are made of."""

from torch import Tensor, nn

from sleepsweep.learn.dropout import Dropout
from sleepsweep.learn.encoders.fourier import FourierConv1d
from sleepsweep.learn.encoders.turn import turned


def stage(
    inputs: int, outputs: int, kernel: int, dropout: float, *, stride: int, padding: int,
    dilation: int, bias: bool,
) -> list[nn.Module]:  # fmt: skip
    """Return a convolution over time, batch norm, Mish and dropout."""
    convolution = FourierConv1d(
        inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=bias
    )
    return [convolution, nn.BatchNorm1d(outputs), nn.Mish(), Dropout(dropout)]


class Stages(nn.Sequential):
    """Layers of stages, one after the other; in training they keep little for the gradient."""

    def forward(self, epochs: Tensor) -> Tensor:
        """Return what the layers make of epochs (batch, channel, time)."""
        values, layers = epochs, [*self]
        while layers:
            found = turned(values, layers)
            values, taken = (layers[0](values), 1) if found is None else found
            layers = layers[taken:]
        return values


def head(inputs: int, latent_dim: int, dropout: float) -> nn.Sequential:
    """Return a linear layer, batch norm, Mish and dropout."""
    return nn.Sequential(
        nn.Linear(inputs, latent_dim), nn.BatchNorm1d(latent_dim), nn.Mish(), Dropout(dropout)
    )
