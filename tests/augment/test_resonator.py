"""The resonator, sample by sample."""

import pytest
import torch

from sleepsweep.augment.resonator import BLOCK, resonate

# Poles: complex ones, real ones, a double one, one that never dies, and none.
TOTALS = torch.tensor([[1.2], [1.9], [2 * 0.9], [1.81], [0.0]], dtype=torch.float64)
PRODUCT = 0.81


def one_by_one(x):
    y = torch.zeros_like(x)
    for n in range(x.shape[-1]):
        y[..., n] = x[..., n]
        if n > 0:
            y[..., n] += TOTALS * y[..., n - 1]
        if n > 1:
            y[..., n] -= PRODUCT * y[..., n - 2]
    return y


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("length", [1, 2, 3, BLOCK, BLOCK + 1, 2 * BLOCK, 301, 1009])
def test_blocks_follow_on_one_another(epochs, channels, length):
    x = epochs(len(TOTALS), channels, length)
    got, want = resonate(x, TOTALS, PRODUCT), one_by_one(x)
    torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10 * want.abs().max().item())


@pytest.mark.parametrize("length", [2 * BLOCK, 301])
def test_any_layout_will_do(epochs, length):
    x = epochs(length, 2, len(TOTALS)).permute(2, 1, 0)
    torch.testing.assert_close(resonate(x, TOTALS, PRODUCT), one_by_one(x))


def test_its_gradient_is_that_of_finite_differences(epochs):
    x = epochs(len(TOTALS), 2, BLOCK + 7).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: resonate(x, TOTALS, PRODUCT), x)
