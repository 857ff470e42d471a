import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sleepsweep.learn.losses.nt_xent import NTXent


def slow_nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Equation 1 of Chen et al. (2020), pair by pair."""
    z = [*first, *second]
    batch = len(first)
    losses = []
    for i in range(2 * batch):
        j = (i + batch) % (2 * batch)
        positive = torch.exp(z[i] @ z[j] / temperature)
        others = [torch.exp(z[i] @ z[k] / temperature) for k in range(2 * batch) if k != i]
        losses.append(-torch.log(positive / torch.stack(others).sum()))
    return torch.stack(losses).mean()


def test_equals_the_double_loop_in_value_and_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    views = [torch.randn(7, 5, generator=generator, dtype=torch.float64) for _ in range(2)]
    fast = [view.clone().requires_grad_() for view in views]
    slow = [view.clone().requires_grad_() for view in views]
    one = NTXent(0.2)(*(F.normalize(view, dim=1) for view in fast))
    two = slow_nt_xent(*(F.normalize(view, dim=1) for view in slow), temperature=0.2)
    one.backward()
    two.backward()
    torch.testing.assert_close(one, two, rtol=0, atol=1e-10)
    for left, right in zip(fast, slow, strict=True):
        torch.testing.assert_close(left.grad, right.grad, rtol=0, atol=1e-10)


def test_equal_embeddings_score_the_logarithm_of_the_number_of_others() -> None:
    same = F.normalize(torch.ones(6, 4), dim=1)
    assert math.isclose(float(NTXent(0.1)(same, same)), math.log(2 * 6 - 1), rel_tol=1e-5)


def test_a_low_temperature_does_not_overflow_in_half_precision() -> None:
    generator = torch.Generator().manual_seed(0)
    views = [F.normalize(torch.randn(256, 32, generator=generator), dim=1) for _ in range(2)]
    loss = NTXent(0.005)  # exp(1 / 0.005) is beyond float32 and bfloat16
    exact = float(loss(*(view.double() for view in views)))
    half = [view.bfloat16().requires_grad_() for view in views]
    value = loss(*half)
    value.backward()
    assert math.isclose(value.item(), exact, rel_tol=0.02)
    assert all(view.grad is not None and view.grad.isfinite().all() for view in half)
