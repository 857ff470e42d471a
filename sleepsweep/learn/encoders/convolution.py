"""The stage that the encoders of the study are made of."""

from torch import nn

from sleepsweep.learn.dropout import Dropout
from sleepsweep.learn.encoders.fourier import FourierConv1d


def stage(
    inputs: int, outputs: int, kernel: int, dropout: float, *, stride: int, padding: int,
    dilation: int, bias: bool,
) -> list[nn.Module]:  # fmt: skip
    """Return a convolution over time, batch norm, Mish and dropout."""
    convolution = FourierConv1d(
        inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=bias
    )
    return [convolution, nn.BatchNorm1d(outputs), nn.Mish(), Dropout(dropout)]


def head(inputs: int, latent_dim: int, dropout: float) -> nn.Sequential:
    """Return a linear layer, batch norm, Mish and dropout."""
    return nn.Sequential(
        nn.Linear(inputs, latent_dim), nn.BatchNorm1d(latent_dim), nn.Mish(), Dropout(dropout)
    )
