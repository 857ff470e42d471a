"""A convolution over time that is computed frequency by frequency, where that takes fewer steps."""

from collections.abc import Iterator
from math import gcd
from typing import Any

import torch
from torch import Tensor, nn

from sleepsweep.learn.encoders.spectra import (
    adjoint,
    inverse,
    product,
    signal,
    spectrum,
    transformed,
    waves,
)

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
        return *ctx.way.gradients(gradients[0], *ctx.saved_tensors), None


class Way:
    """A convolution with a stride as one without: the phases of its input become channels."""

    def __init__(self, layer: nn.Conv1d, length: int) -> None:
        (stride,), (dilation,), (self.kernel,) = layer.stride, layer.dilation, layer.kernel_size
        self.padding = int(layer.padding[0])
        # What stride and dilation have in common skips samples that no tap ever reads.
        self.skip = gcd(stride, dilation)
        self.stride, self.dilation = stride // self.skip, dilation // self.skip
        last = (self.kernel - 1) * self.dilation
        self.taps = last // self.stride + 1
        read = -(-(length + 2 * self.padding) // self.skip)
        self.outputs = (read - last - 1) // self.stride + 1
        self.inputs = self.outputs + self.taps - 1

    def pays(self, layer: nn.Conv1d, batch: int) -> bool:
        """Whether there are fewer multiplications than one for every tap."""
        channels, filters = layer.in_channels, layer.out_channels
        frequencies, phases = self.inputs // 2 + 1, channels * self.stride
        products = 3 * frequencies * phases * filters
        transforms = 2 * frequencies * (phases * self.inputs + filters * self.outputs)
        weights = 2 * frequencies * phases * filters * self.taps / batch
        direct = self.outputs * channels * filters * self.kernel
        return PAYS * (products + transforms + weights) < direct

    def convolved(self, epochs: Tensor, weight: Tensor) -> Tensor:
        """Convolve epochs (batch, channel, time) with weights (filter, channel, kernel)."""
        signals, taps = self.phases(epochs), self.taps_of_phases(weight)
        found = product(spectrum(signals, self.inputs), adjoint(spectrum(taps, self.inputs)))
        return signal(found, inverse(self.inputs, self.outputs, epochs.dtype))

    def gradients(self, gradient: Tensor, epochs: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients of epochs and weights, from that of what was convolved."""
        dtype = epochs.dtype
        back = transformed(gradient, inverse(self.inputs, self.outputs, dtype))
        of_signals = product(back, spectrum(self.taps_of_phases(weight), self.inputs))
        signals = signal(of_signals, waves(self.inputs, self.inputs, dtype))
        of_taps = product(adjoint(back), spectrum(self.phases(epochs), self.inputs))
        taps = signal(of_taps, waves(self.inputs, self.taps, dtype)).reshape(*weight.shape[:2], -1)
        return self.of_phases(signals, epochs.shape[2]), taps.index_select(2, self._taps_at())

    def phases(self, epochs: Tensor) -> Tensor:
        """Return epochs (batch, channel, time) as (batch, channel · stride, inputs)."""
        batch, channels, length = epochs.shape
        found = epochs.new_zeros(batch, channels, self.stride, self.inputs)
        for phase, here, there in self._places(length):
            found[:, :, phase, there] = epochs[:, :, here]
        return found.view(batch, channels * self.stride, self.inputs)

    def of_phases(self, gradient: Tensor, length: int) -> Tensor:
        """Return the gradient of epochs of a length, from that of their phases."""
        by_phase = gradient.view(len(gradient), -1, self.stride, self.inputs)
        found = gradient.new_zeros(*by_phase.shape[:2], length)
        for phase, here, there in self._places(length):
            found[:, :, here] = by_phase[:, :, phase, there]
        return found

    def _places(self, length: int) -> Iterator[tuple[int, slice, slice]]:
        """Yield each phase, which samples of an epoch are its own, and where it has them."""
        step = self.stride * self.skip
        for phase in range(self.stride):
            start = phase * self.skip - self.padding
            first = max(0, -(start // step))
            start += first * step
            count = min(self.inputs - first, -((start - length) // step))
            if count > 0:
                yield phase, slice(start, start + count * step, step), slice(first, first + count)

    def taps_of_phases(self, weight: Tensor) -> Tensor:
        """Return weights (filter, channel, kernel) as (filter, channel · stride, taps)."""
        filters, channels, _ = weight.shape
        spread = weight.new_zeros(filters, channels, self.stride * self.taps)
        spread[:, :, self._taps_at()] = weight
        return spread.view(filters, channels * self.stride, self.taps)

    def _taps_at(self) -> Tensor:
        """Return the place of each tap of the kernel among the taps of the phases."""
        places = torch.arange(self.kernel) * self.dilation
        return places % self.stride * self.taps + places // self.stride
