"""Torch that is imported when something of it is first used."""

import subprocess
import sys

import pytest
import torch as itself

from sleepsweep.torchlater import torch


def test_it_is_torch() -> None:
    assert torch.Tensor is itself.Tensor
    assert torch.nn.functional.pad is itself.nn.functional.pad


def test_what_torch_has_not_it_has_not() -> None:
    with pytest.raises(AttributeError, match=r"torch.*has no attribute 'zeroes'"):
        torch.zeroes  # noqa: B018


def test_it_is_imported_with_its_first_use_and_not_before() -> None:
    code = "import sys; from sleepsweep.torchlater import torch; print('torch' in sys.modules); "
    code += "print(torch.zeros(2).tolist(), 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["False", "[0.0, 0.0] True"]


def test_an_augmentation_is_declared_without_torch() -> None:
    code = (
        "import sys; from sleepsweep.augment import SignFlip; flip = SignFlip(); "
        "print('torch' in sys.modules); import torch; print(flip(torch.ones(1, 1, 2), "
        "torch.Generator()).tolist())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["False", "[[[-1.0, -1.0]]]"]
