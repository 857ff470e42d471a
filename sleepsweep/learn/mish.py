"""Mish by one exponential, and with its derivative: `torch.nn.Mish` takes three functions more.

Mish is x · tanh(softplus(x)) (Misra 2020, equation 1). With e the exponential of x,
tanh(log(1 + e)) is (e² + 2e) / (e² + 2e + 2).
"""

from torch import Tensor

STRAIGHT = 20.0
"""From here on Mish is x to the last digit of float64; up to here its squares stay finite."""


def mish(values: Tensor) -> Tensor:
    """Return Mish of each value."""
    _, square, whole = _terms(values)
    return square.div_(whole).mul_(values)


def mish_and_slope(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return Mish of each value, the same numbers as `mish`, and its derivative there."""
    power, square, whole = _terms(values)
    tanh = square.div_(whole)
    slope = (power + 1).mul_(power).mul_(values).mul_(4).div_(whole).div_(whole).add_(tanh)
    return tanh.mul_(values), slope


def _terms(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    power = values.clamp(max=STRAIGHT).exp_()
    square = (power + 2).mul_(power)
    return power, square, square + 2
