"""A convolution over time that is computed frequency by frequency, where that takes fewer steps."""

from functools import lru_cache
from math import gcd, pi
from typing import Any

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
    anywhere else it is torch's own. As there, the gradient needs the epochs and the weights alone.
    """

    def forward(self, epochs: Tensor) -> Tensor:
        """Convolve epochs (batch, channel, time)."""
        way = self.way(epochs)
        if way is None:
            return super().forward(epochs)
        return self.biased(_Convolve.apply(epochs, self.weight, way))  # type: ignore[no-untyped-call]

    def way(self, epochs: Tensor) -> "Way | None":
        """Return how to convolve such epochs by frequencies, or None where that does not pay."""
        if not (is_exact(epochs) and self._is_usual):
            return None
        way = Way(self, epochs.shape[2])
        return way if way.pays(self, len(epochs)) else None

    def biased(self, convolved: Tensor) -> Tensor:
        """Add the bias, if there is one."""
        return convolved if self.bias is None else convolved + self.bias[:, None]

    @property
    def _is_usual(self) -> bool:
        return (
            self.groups == 1 and self.padding_mode == "zeros" and not isinstance(self.padding, str)
        )


def is_exact(epochs: Tensor) -> bool:
    """Whether epochs are on a CPU, in whole precision, and computed on rather than exported."""
    # Halves would round in the frequency domain; a graph that is exported should say convolution.
    whole = epochs.dtype in (torch.float32, torch.float64) and not torch.is_autocast_enabled("cpu")
    return epochs.device.type == "cpu" and whole and not torch.compiler.is_compiling()


class _Convolve(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(epochs: Tensor, weight: Tensor, way: "Way") -> Tensor:
        return way.convolved(epochs, weight)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        *saved, ctx.way = inputs
        ctx.save_for_backward(*saved)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return *ctx.way.gradients(gradients[0], *ctx.saved_tensors, *ctx.needs_input_grad[:2]), None


class Way:
    """A convolution with a stride as one without: the phases of its input become channels."""

    def __init__(self, layer: nn.Conv1d, length: int) -> None:
        (stride,), (dilation,), (kernel,) = layer.stride, layer.dilation, layer.kernel_size
        self.padding = int(layer.padding[0])
        # What stride and dilation have in common skips samples that no tap ever reads.
        self.skip = gcd(stride, dilation)
        self.stride, dilation = stride // self.skip, dilation // self.skip
        self.places = torch.arange(kernel) * dilation
        self.taps = int(self.places[-1]) // self.stride + 1
        self.at = self.places % self.stride * self.taps + self.places // self.stride
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

    def convolved(self, epochs: Tensor, weight: Tensor) -> Tensor:
        """Convolve epochs (batch, channel, time) with weights (filter, channel, kernel)."""
        signals, taps = self.phases(epochs), self.taps_of_phases(weight)
        product = _product(_spectrum(signals, self.inputs), _adjoint(_spectrum(taps, self.inputs)))
        return _signal(product, _inverse(self.inputs, self.outputs, epochs.dtype))

    def gradients(
        self, gradient: Tensor, epochs: Tensor, weight: Tensor, of_epochs: bool = True,
        of_weight: bool = True,
    ) -> tuple[Tensor | None, Tensor | None]:  # fmt: skip
        """Return the gradients of epochs and of weights, from that of what was convolved."""
        back = _transformed(gradient, _inverse(self.inputs, self.outputs, epochs.dtype))
        found: list[Tensor | None] = [None, None]
        if of_epochs:
            product = _product(back, _spectrum(self.taps_of_phases(weight), self.inputs))
            signals = _signal(product, _waves(self.inputs, self.inputs, epochs.dtype))
            found[0] = self.of_phases(signals, epochs.shape[2])
        if of_weight:
            product = _product(_adjoint(back), _spectrum(self.phases(epochs), self.inputs))
            taps = _signal(product, _waves(self.inputs, self.taps, epochs.dtype))
            found[1] = taps.reshape(*weight.shape[:2], -1).index_select(2, self.at)
        return found[0], found[1]

    def phases(self, epochs: Tensor) -> Tensor:
        """Return epochs (batch, channel, time) as (batch, channel · stride, inputs)."""
        batch, channels, _ = epochs.shape
        read = F.pad(epochs, (self.padding, self.padding))[:, :, :: self.skip]
        wanted = self.inputs * self.stride
        read = F.pad(read, (0, max(wanted - read.shape[2], 0)))[:, :, :wanted]
        by_phase = read.reshape(batch, channels, self.inputs, self.stride).transpose(2, 3)
        return by_phase.reshape(batch, channels * self.stride, self.inputs)

    def of_phases(self, gradient: Tensor, length: int) -> Tensor:
        """Return the gradient of epochs of a length, from that of their phases."""
        batch = len(gradient)
        by_phase = gradient.reshape(batch, -1, self.stride, self.inputs)
        read = by_phase.transpose(2, 3).reshape(batch, -1, self.inputs * self.stride)
        padded = length + 2 * self.padding
        read = F.pad(read, (0, -(-padded // self.skip) - read.shape[2]))
        whole = F.pad(read[..., None], (0, self.skip - 1)).reshape(batch, read.shape[1], -1)
        return whole[:, :, self.padding : self.padding + length]

    def taps_of_phases(self, weight: Tensor) -> Tensor:
        """Return weights (filter, channel, kernel) as (filter, channel · stride, taps)."""
        filters, channels, _ = weight.shape
        spread = weight.new_zeros(filters, channels, self.stride * self.taps)
        spread = spread.index_copy(2, self.at, weight)
        return spread.view(filters, channels * self.stride, self.taps)


def _adjoint(spectrum: Tensor) -> Tensor:
    """Return the conjugate transpose of each frequency's matrix."""
    real, imaginary = spectrum.transpose(2, 3)
    return torch.stack([real, -imaginary])


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Multiply complex matrices, a pair for each frequency, by three real products (Gauss)."""
    (a, b), (c, d) = left, right
    shared = torch.bmm(a + b, c)
    real = torch.baddbmm(shared, b, c + d, alpha=-1)
    imaginary = torch.baddbmm(shared, a, d - c)
    return torch.stack([real, imaginary])


def _spectrum(signals: Tensor, length: int) -> Tensor:
    """Return real and imaginary parts (2, frequency, row, column) of (row, column, time)."""
    return _transformed(signals, _waves(length, signals.shape[2], signals.dtype))


def _transformed(signals: Tensor, waves: Tensor) -> Tensor:
    rows, columns, time = signals.shape
    return (waves @ signals.reshape(rows * columns, time).T).view(2, -1, rows, columns)


def _signal(spectrum: Tensor, waves: Tensor) -> Tensor:
    """Return the signals (row, column, time) that a spectrum is made into by `waves`."""
    _, frequencies, rows, columns = spectrum.shape
    flat = spectrum.reshape(2 * frequencies, rows * columns)
    return (flat.T @ waves).view(rows, columns, -1)


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
