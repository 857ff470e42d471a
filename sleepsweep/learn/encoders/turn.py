"""From one convolution to the next, keeping for the gradient only what the first one gave.

Layer by layer, batch norm, Mish, dropout and the convolution behind them keep four tensors. Three
of them cost less to compute again than one might think: block by block in the cache, twice is as
fast as torch's layers are once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sleepsweep.learn.dropout import Dropout
from sleepsweep.learn.encoders.fourier import FourierConv1d, Way, is_exact
from sleepsweep.learn.mish import mish_, mish_with_slope_
from sleepsweep.learn.runningstatistics import remember

BLOCK = 2**17
"""Numbers that are computed on at once: so many stay in a core's cache."""


def turned(values: Tensor, layers: Sequence[nn.Module]) -> tuple[Tensor, int] | None:
    """Return what the first of `layers` make of (batch, channel, time), and how many they are.

    They are batch norm, Mish, dropout and, where it is computed by frequencies, the convolution
    behind them. None where the layers are others or not in training, and where torch's own are
    asked for: on a GPU, in half precision, in a graph that is exported.
    """
    match layers[:4]:
        case [nn.BatchNorm1d() as norm, nn.Mish(), Dropout() as dropout, *following]:
            if not _is_usual(values, norm, dropout):
                return None
        case _:
            return None
    if following and isinstance(following[0], FourierConv1d):
        convolution = following[0]
        way = convolution.way(values)
        if way is not None:
            return convolution.biased(_turn(values, norm, dropout, convolution.weight, way)), 4
    return _turn(values, norm, dropout), 3


def _is_usual(values: Tensor, norm: nn.BatchNorm1d, dropout: Dropout) -> bool:
    trained = norm.training and norm.affine and dropout.training and dropout.p < 1.0
    several = values.dim() == 3 and len(values) * values.shape[2] > 1
    return trained and several and is_exact(values) and norm.weight.dtype == values.dtype


def _turn(
    values: Tensor, norm: nn.BatchNorm1d, dropout: Dropout, taps: Tensor | None = None,
    way: Way | None = None,
) -> Tensor:  # fmt: skip
    mean, variance = _statistics(values.detach())
    count = len(values) * values.shape[2]
    remember(norm, mean, variance * count / (count - 1))
    kept = dropout.kept(values.shape) if dropout.p > 0 else None
    how = _How(norm.eps, 1 / (1 - dropout.p), way)
    given = (values, norm.weight, norm.bias, mean, (variance + norm.eps).rsqrt(), kept, taps, how)
    turned: Tensor = _Turn.apply(*given)  # type: ignore[no-untyped-call]
    return turned


def _statistics(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return each channel's mean and variance, in two passes: small variances keep their digits."""
    count = len(values) * values.shape[2]
    mean = values.sum((0, 2)) / count
    squares = [(part - mean[:, None]).square_().sum((0, 2)) for part in _blocks(values)]
    return mean, torch.stack(squares).sum(0) / count


def _blocks(values: Tensor) -> tuple[Tensor, ...]:
    return torch.split(values, max(1, BLOCK // values[0].numel()))


@dataclass(frozen=True)
class _How:
    """What the layers are: the batch norm's ε, dropout's 1 / (1 − p), and the convolution."""

    eps: float
    gain: float
    way: Way | None


class _Turn(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(
        values: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, per_deviation: Tensor,
        kept: Tensor | None, taps: Tensor | None, how: _How,
    ) -> Tensor:  # fmt: skip
        active = _normal(values, weight, bias, mean, per_deviation)
        for part, mask in zip(_blocks(active), _masks(active, kept, how.gain), strict=True):
            mish_(part).mul_(mask)
        return active if how.way is None or taps is None else how.way.convolved(active, taps)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        *saved, ctx.how = inputs
        ctx.save_for_backward(*saved)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        *given, kept, taps = ctx.saved_tensors
        values, weight, _, mean, per_deviation = given
        active, slopes = _normal(*given), []
        for part, mask in zip(_blocks(active), _masks(active, kept, ctx.how.gain), strict=True):
            slopes.append(mish_with_slope_(part).mul_(mask))
            part.mul_(mask)
        if taps is None:
            gradient, of_taps = gradients[0].clone(), None
        else:
            gradient, of_taps = ctx.how.way.gradients(gradients[0], active, taps)
        del active
        for part, slope in zip(_blocks(gradient), slopes, strict=True):
            part.mul_(slope)
        of_norm = torch.ops.aten.native_batch_norm_backward(
            gradient, values, weight, None, None, mean, per_deviation, True, ctx.how.eps,
            [True, True, True],
        )  # fmt: skip
        return *of_norm, None, None, None, of_taps, None


def _normal(
    values: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, per_deviation: Tensor
) -> Tensor:
    scale = weight * per_deviation
    return torch.addcmul((bias - mean * scale)[:, None], values, scale[:, None])


def _masks(values: Tensor, kept: Tensor | None, gain: float) -> Iterator[Tensor]:
    """Yield what dropout multiplies each block of values by."""
    whole = values.new_ones(()).expand(values.shape) if kept is None else kept
    return (part.to(values.dtype) * gain for part in _blocks(whole))
