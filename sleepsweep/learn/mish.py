"""Mish by one exponential, in place, and with its derivative.

Mish is x · tanh(softplus(x)) (Misra 2020, equation 1). With e the exponential of x,
tanh(log(1 + e)) is (e² + 2e) / (e² + 2e + 2).
"""

from torch import Tensor

STRAIGHT = 20.0
"""From here on Mish is x to the last digit of float64; up to here its squares stay finite."""


def mish_(values: Tensor) -> Tensor:
    """Put Mish in the place of each value, and return them."""
    _, _, square, whole = _terms(values)
    return values.mul_(square.div_(whole))


def mish_with_slope_(values: Tensor) -> Tensor:
    """Put Mish in the place of each value, as `mish_`; return its derivative where they were."""
    bent, power, square, whole = _terms(values)
    tanh = square.div_(whole)
    slope = (power + 1).mul_(power).mul_(bent).mul_(4).div_(whole).div_(whole).add_(tanh)
    values.mul_(tanh)
    return slope


def _terms(values: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    bent = values.clamp(max=STRAIGHT)
    power = bent.exp()
    square = (power + 2).mul_(power)
    return bent, power, square, square + 2
