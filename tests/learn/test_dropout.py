import pytest
import torch
from scipy import stats
from torch import nn

from sleepsweep.learn.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5, 0.9])
def test_as_many_are_dropped_as_asked_for_and_the_rest_is_scaled(p: float) -> None:
    torch.manual_seed(0)
    ones = torch.ones(200_003)
    found = Dropout(p)(ones)
    kept = found != 0
    assert torch.allclose(found[kept], torch.tensor(1 / (1 - p)))
    assert stats.binomtest(int(kept.sum()), len(ones), 1 - p).pvalue > 0.001


def test_neighbours_are_dropped_independently() -> None:
    """Four of them share one random number."""
    torch.manual_seed(1)
    kept = (Dropout(0.3)(torch.ones(400_000)) != 0).view(-1, 4)
    patterns = kept.long() @ torch.tensor([8, 4, 2, 1])
    counts = torch.bincount(patterns, minlength=16).numpy()
    shares = [0.7 ** bin(n).count("1") * 0.3 ** (4 - bin(n).count("1")) for n in range(16)]
    assert stats.chisquare(counts, [len(kept) * share for share in shares]).pvalue > 0.001


def test_gradients_pass_where_values_do() -> None:
    torch.manual_seed(0)
    values = torch.randn(3, 5, 7, requires_grad=True)
    found = Dropout(0.4)(values)
    found.sum().backward()
    assert values.grad is not None
    assert torch.allclose(values.grad * values.detach(), found.detach())


def test_the_global_generator_decides() -> None:
    ones, layer = torch.ones(1001), Dropout(0.2)
    torch.manual_seed(5)
    first = layer(ones)
    second = layer(ones)
    torch.manual_seed(5)
    assert torch.equal(layer(ones), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_all_and_none(p: float) -> None:
    values = torch.randn(10)
    assert torch.equal(Dropout(p)(values), nn.Dropout(p)(values))


def test_nothing_is_dropped_outside_training() -> None:
    values = torch.randn(10)
    assert torch.equal(Dropout(0.5).eval()(values), values)
