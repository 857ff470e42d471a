import torch
import torch.nn.functional as F

from sleepsweep.learn.mish import mish_, mish_with_slope_

VALUES = torch.cat([
    torch.linspace(-30, 30, 4001, dtype=torch.float64),
    torch.tensor([-1e30, -800.0, -100.0, -0.0, 0.0, 19.999, 20.0, 20.001, 1e3, 1e30]).double(),
])  # fmt: skip


def test_it_is_torchs_to_the_last_digits_and_so_is_its_derivative() -> None:
    asked = VALUES.clone().requires_grad_()
    F.mish(asked).sum().backward()
    found = VALUES.clone()
    slope = mish_with_slope_(found)
    torch.testing.assert_close(found, F.mish(VALUES), atol=1e-14, rtol=1e-13)
    torch.testing.assert_close(slope, asked.grad, atol=1e-13, rtol=1e-13)
    assert torch.equal(mish_(VALUES.clone()), found)


def test_single_precision_overflows_nowhere() -> None:
    found = VALUES.float()
    slope = mish_with_slope_(found)
    assert found.isfinite().all()
    exact = F.mish(VALUES.float().double()).float()
    torch.testing.assert_close(found, exact, atol=1e-6, rtol=1e-6)
    assert torch.equal(slope[-1], torch.tensor(1.0))


def test_what_is_no_number_stays_none() -> None:
    nothing = torch.tensor([float("nan")])
    assert mish_(nothing.clone()).isnan()
    assert mish_with_slope_(nothing).isnan()
