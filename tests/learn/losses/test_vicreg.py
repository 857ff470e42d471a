import pytest
import torch
from torch import Tensor

from sleepsweep.learn.losses.vicreg import VICReg


def slow_vicreg(first: Tensor, second: Tensor) -> Tensor:
    """Algorithm 1 of Bardes et al. (2022), number by number."""
    n, d = first.shape
    distance = sum((first[i, j] - second[i, j]) ** 2 for i in range(n) for j in range(d)) / (n * d)
    total = 25 * distance
    for z in (first, second):
        means = [sum(z[i, j] for i in range(n)) / n for j in range(d)]
        covariance = [
            [sum((z[i, j] - means[j]) * (z[i, k] - means[k]) for i in range(n)) / (n - 1)
             for k in range(d)]
            for j in range(d)
        ]  # fmt: skip
        deviations = [torch.sqrt(covariance[j][j] + 1e-4) for j in range(d)]
        total = total + 25 * sum(torch.clamp(1 - deviation, min=0) for deviation in deviations) / d
        others = [covariance[j][k] ** 2 for j in range(d) for k in range(d) if j != k]
        total = total + sum(others) / d
    return total


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])  # deviations below, around and above the hinge
def test_equals_the_double_loop_in_value_and_gradient(scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    views = [scale * torch.randn(7, 5, generator=generator, dtype=torch.float64) for _ in range(2)]
    fast = [view.clone().requires_grad_() for view in views]
    slow = [view.clone().requires_grad_() for view in views]
    one, two = VICReg()(*fast), slow_vicreg(*slow)
    one.backward()
    two.backward()
    torch.testing.assert_close(one, two, rtol=0, atol=1e-10)
    for left, right in zip(fast, slow, strict=True):
        torch.testing.assert_close(left.grad, right.grad, rtol=0, atol=1e-10)


def test_collapsed_projections_cost_the_whole_hinge_of_both_views() -> None:
    same = torch.ones(6, 4, dtype=torch.float64)
    assert float(VICReg()(same, same)) == pytest.approx(2 * 25 * (1 - 1e-2))


def test_equal_wide_and_uncorrelated_projections_cost_nothing() -> None:
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert float(VICReg()(signs, signs)) == 0
