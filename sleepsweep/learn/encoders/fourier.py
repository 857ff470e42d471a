"""A convolution over time that is computed frequency by frequency, where that takes fewer steps."""

from functools import lru_cache
from math import gcd, pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PAYS = 1.5
"""Multiplications in the frequency domain must be so many times fewer, as they run slower."""


class FourierConv1d(nn.Conv1d):
    """`torch.nn.Conv1d`, with its weights and its results but for rounding (about 1e-6).

    By the convolution theorem every frequency is a small product of matrices, channels by filters,
    instead of one for every tap: a third of the operations for kernels of 16 taps on 64 channels.
    The transforms are products of matrices as well: so short, they are as fast as an FFT, and leave
    the numbers where the next product wants them. On a CPU, where it pays, in float32 or float64;
    anywhere else it is torch's own.
    """

    def forward(self, epochs: Tensor) -> Tensor:
        """Convolve epochs (batch, channel, time)."""
        if not (_is_exact(epochs) and self._is_usual):
            return super().forward(epochs)
        shape = _Shape(self, epochs.shape[2])
        if not shape.pays(self, len(epochs)):
            return super().forward(epochs)
        convolved = _correlate(shape.phases(epochs), shape.taps_of_phases(self.weight))
        return convolved if self.bias is None else convolved + self.bias[:, None]

    @property
    def _is_usual(self) -> bool:
        return (
            self.groups == 1 and self.padding_mode == "zeros" and not isinstance(self.padding, str)
        )


def _is_exact(epochs: Tensor) -> bool:
    # Halves would round in the frequency domain; a graph that is exported should say convolution.
    whole = epochs.dtype in (torch.float32, torch.float64) and not torch.is_autocast_enabled("cpu")
    return epochs.device.type == "cpu" and whole and not torch.compiler.is_compiling()


class _Shape:
    """A convolution with a stride as one without: the phases of its input become channels."""

    def __init__(self, layer: nn.Conv1d, length: int) -> None:
        (stride,), (dilation,), (kernel,) = layer.stride, layer.dilation, layer.kernel_size
        self.padding = int(layer.padding[0])
        # What stride and dilation have in common skips samples that no tap ever reads.
        self.skip = gcd(stride, dilation)
        self.stride, dilation = stride // self.skip, dilation // self.skip
        self.places = torch.arange(kernel) * dilation
        self.taps = int(self.places[-1]) // self.stride + 1
        read = -(-(length + 2 * self.padding) // self.skip)
        self.outputs = (read - int(self.places[-1]) - 1) // self.stride + 1
        self.inputs = self.outputs + self.taps - 1

    def pays(self, layer: nn.Conv1d, batch: int) -> bool:
        """Whether there are fewer multiplications than one for every tap."""
        channels, filters = layer.in_channels, layer.out_channels
        frequencies, phases = self.inputs // 2 + 1, channels * self.stride
        products = 3 * frequencies * phases * filters
        transforms = 2 * frequencies * (phases * self.inputs + filters * self.outputs)
        weights = 2 * frequencies * phases * filters * self.taps / batch
        direct = self.outputs * channels * filters * len(self.places)
        return PAYS * (products + transforms + weights) < direct

    def phases(self, epochs: Tensor) -> Tensor:
        """Return epochs (batch, channel, time) as (batch, channel · stride, inputs)."""
        batch, channels, _ = epochs.shape
        read = F.pad(epochs, (self.padding, self.padding))[:, :, :: self.skip]
        wanted = self.inputs * self.stride
        read = F.pad(read, (0, max(wanted - read.shape[2], 0)))[:, :, :wanted]
        by_phase = read.reshape(batch, channels, self.inputs, self.stride).transpose(2, 3)
        return by_phase.reshape(batch, channels * self.stride, self.inputs)

    def taps_of_phases(self, weight: Tensor) -> Tensor:
        """Return weights (filter, channel, kernel) as (filter, channel · stride, taps)."""
        filters, channels, _ = weight.shape
        at = self.places % self.stride * self.taps + self.places // self.stride
        spread = weight.new_zeros(filters, channels, self.stride * self.taps)
        spread = spread.index_copy(2, at, weight)
        return spread.view(filters, channels * self.stride, self.taps)


def _correlate(signals: Tensor, taps: Tensor) -> Tensor:
    """Correlate (batch, channel, time) with (filter, channel, taps), without padding."""
    length = signals.shape[2]
    real, imaginary = _spectrum(taps, length).transpose(2, 3)
    product = _product(_spectrum(signals, length), (real, -imaginary))
    return _signal(product, length, length - taps.shape[2] + 1)


def _product(left: Tensor, right: tuple[Tensor, Tensor]) -> Tensor:
    """Multiply complex matrices, a pair for each frequency, by three real products (Gauss)."""
    (a, b), (c, d) = left, right
    shared = torch.bmm(a + b, c)
    real = torch.baddbmm(shared, b, c + d, alpha=-1)
    imaginary = torch.baddbmm(shared, a, d - c)
    return torch.stack([real, imaginary])


def _spectrum(signals: Tensor, length: int) -> Tensor:
    """Return real and imaginary parts (2, frequency, row, column) of (row, column, time)."""
    rows, columns, time = signals.shape
    flat = signals.reshape(rows * columns, time)
    found: Tensor = _waves(length, time, signals.dtype) @ flat.T
    return found.view(2, -1, rows, columns)


def _signal(spectrum: Tensor, length: int, wanted: int) -> Tensor:
    """Return the first `wanted` samples of what has this spectrum, (row, column, time)."""
    _, frequencies, rows, columns = spectrum.shape
    flat = spectrum.view(2 * frequencies, rows * columns)
    return (flat.T @ _inverse(length, wanted, spectrum.dtype)).view(rows, columns, wanted)


# What is kept must serve training, whoever asked first: a tensor made in inference mode cannot.
@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _waves(length: int, time: int, dtype: torch.dtype) -> Tensor:
    """The transform of signals of `length`, of which the first `time` samples are not 0."""
    frequencies = torch.arange(length // 2 + 1, dtype=torch.float64)
    angles = 2 * pi / length * frequencies[:, None] * torch.arange(time, dtype=torch.float64)
    return torch.cat([angles.cos(), -angles.sin()]).to(dtype)


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _inverse(length: int, wanted: int, dtype: torch.dtype) -> Tensor:
    """Its inverse; all frequencies but the first, and the highest of an even length, are two."""
    weights = torch.full((length // 2 + 1,), 2.0, dtype=torch.float64)
    weights[0] = 1.0
    if length % 2 == 0:
        weights[-1] = 1.0
    waves = _waves(length, wanted, torch.float64)
    return (waves * weights.repeat(2)[:, None] / length).to(dtype)
