"""What holds for every loss."""

import inspect
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sleepsweep.learn.losses import LOSSES, Loss, loss_of
from sleepsweep.learn.losses.nt_xent import NTXent
from sleepsweep.learn.losses.vicreg import VICReg
from sleepsweep.learn.pretrain import PretrainSpec


def two_views(dtype: torch.dtype = torch.float32) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    views = [torch.randn(64, 16, generator=generator) for _ in range(2)]
    return [F.normalize(view, dim=1).to(dtype) for view in views]


def test_a_loss_stands_in_a_file_of_its_name_and_a_name_is_used_once() -> None:
    assert LOSSES.all() == {"nt_xent": NTXent, "vicreg": VICReg}
    for name, kind in LOSSES.all().items():
        assert Path(inspect.getfile(kind)).stem == name
    with pytest.raises(TypeError, match="loss name 'vicreg' is used twice"):
        type("Other", (Loss,), {"name": "vicreg"})


def test_a_loss_is_built_with_the_values_of_the_keys_that_it_reads() -> None:
    assert PretrainSpec(temperature=0.3).build_loss() == NTXent(temperature=0.3)
    spec = PretrainSpec(loss="vicreg", projector="mlp", temperature=0.3)
    assert spec.build_loss() == VICReg(25.0, 25.0, 1.0)


@pytest.mark.parametrize("name", LOSSES.all())
def test_half_precision_embeddings_are_compared_in_float32(name: str) -> None:
    loss = loss_of(name, PretrainSpec())
    half = two_views(torch.bfloat16)
    expected = loss(*(view.float() for view in half))
    assert loss(*half).dtype == torch.float32
    assert torch.equal(loss(*half), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(loss(*half), expected)
        assert torch.equal(loss(*(view.float() for view in half)), expected)


@pytest.mark.parametrize("name", LOSSES.all())
def test_the_order_of_epochs_and_of_views_does_not_matter(name: str) -> None:
    loss = loss_of(name, PretrainSpec())
    one, two = two_views(torch.float64)
    order = torch.randperm(len(one), generator=torch.Generator().manual_seed(1))
    for other in (loss(one[order], two[order]), loss(two, one)):
        torch.testing.assert_close(other, loss(one, two), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", LOSSES.all())
def test_gradients_of_equal_embeddings_are_finite(name: str) -> None:
    same = torch.ones(4, 8).requires_grad_()
    loss_of(name, PretrainSpec())(same, same.clone()).backward()
    assert same.grad is not None
    assert same.grad.isfinite().all()
