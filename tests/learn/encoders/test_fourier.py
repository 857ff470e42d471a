"""The convolution by frequencies against torch's own."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as some
from torch import Tensor, nn

from sleepsweep.learn.encoders import fourier, spectra
from sleepsweep.learn.encoders.fourier import FourierConv1d

LAYERS = some.fixed_dictionaries({
    "in_channels": some.integers(1, 4),
    "out_channels": some.integers(1, 5),
    "kernel_size": some.integers(1, 9),
    "stride": some.integers(1, 6),
    "dilation": some.integers(1, 5),
    "padding": some.integers(0, 7),
    "bias": some.booleans(),
})  # fmt: skip


def conv(layer: nn.Conv1d, epochs: Tensor) -> Tensor:
    """What torch makes of a layer's weights."""
    return F.conv1d(
        epochs,
        layer.weight,
        layer.bias,
        layer.stride,
        layer.padding,
        layer.dilation,  # type: ignore[arg-type]
    )


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fourier.Way, "pays", lambda *_: True)


@given(layer=LAYERS, spare=some.integers(0, 12), seed=some.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_it_is_the_same_convolution_for_any_stride_dilation_and_padding(
    layer: dict[str, int], spare: int, seed: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fourier.Way, "pays", lambda *_: True)
        torch.manual_seed(seed)
        made = FourierConv1d(**layer, dtype=torch.float64)  # type: ignore[arg-type]
        shortest = layer["dilation"] * (layer["kernel_size"] - 1) + 1 - 2 * layer["padding"]
        epochs = torch.randn(3, layer["in_channels"], max(shortest, 1) + spare).double()
        torch.testing.assert_close(made(epochs), conv(made, epochs), atol=1e-12, rtol=1e-10)


def test_its_gradients_are_those_of_the_convolution(always: None) -> None:
    torch.manual_seed(0)
    layer = FourierConv1d(32, 64, 32, stride=4, padding=62, dilation=2, dtype=torch.float64)
    epochs = torch.randn(5, 32, 383, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(5, 64, 112, dtype=torch.float64)
    wanted = (epochs, layer.weight, layer.bias)
    one = torch.autograd.grad((layer(epochs) * weights).sum(), wanted)  # type: ignore[arg-type]
    two = torch.autograd.grad((conv(layer, epochs) * weights).sum(), wanted)  # type: ignore[arg-type]
    for ours, theirs in zip(one, two, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-9)


def test_in_single_precision_it_rounds_no_worse_than_torch(always: None) -> None:
    torch.manual_seed(0)
    layer = FourierConv1d(64, 128, 16, stride=2, padding=60, dilation=4, bias=False)
    epochs = torch.randn(8, 64, 112)
    exact = FourierConv1d(64, 128, 16, stride=2, padding=60, dilation=4, bias=False).double()
    exact.load_state_dict(layer.state_dict())
    wanted = conv(exact, epochs.double())
    error = (layer(epochs) - wanted).norm() / wanted.norm()
    assert error < 1e-6


def test_where_it_does_not_pay_it_is_torchs_own_bit_for_bit() -> None:
    layer = FourierConv1d(1, 32, 64, stride=8, padding=63)
    epochs = torch.randn(16, 1, 3000)
    assert torch.equal(layer(epochs), conv(layer, epochs))


@pytest.mark.parametrize(
    ("layer", "length", "pays"),
    [
        ((1, 32, 64, 8, 63, 1), 3000, False),
        ((32, 64, 32, 4, 62, 2), 383, True),
        ((64, 128, 16, 2, 60, 4), 112, True),
        ((32, 64, 7, 1, 6, 2), 3000, False),
    ],
)
def test_it_pays_for_the_long_kernels_of_the_study(
    layer: tuple[int, int, int, int, int, int], length: int, pays: bool
) -> None:
    made = FourierConv1d(*layer)
    assert fourier.Way(made, length).pays(made, batch=256) == pays


def test_half_precision_is_left_to_torch(always: None) -> None:
    layer, epochs = FourierConv1d(32, 64, 32), torch.randn(4, 32, 383)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(layer(epochs), conv(layer, epochs))
    half = layer.to(torch.bfloat16)
    assert torch.equal(half(epochs.bfloat16()), conv(half, epochs.bfloat16()))


def test_an_exported_graph_has_a_convolution_in_it(always: None) -> None:
    layer = FourierConv1d(32, 64, 32).eval()
    exported = torch.export.export(layer, (torch.randn(4, 32, 383),))
    assert "conv1d" in str(exported.graph)


def test_weights_begin_as_torchs_do_and_are_exchanged_with_it() -> None:
    torch.manual_seed(3)
    ours = FourierConv1d(32, 64, 32)
    torch.manual_seed(3)
    theirs = nn.Conv1d(32, 64, 32)
    assert torch.equal(ours.weight, theirs.weight)
    theirs.load_state_dict(ours.state_dict())


def test_what_is_too_short_is_refused_as_by_torch(always: None) -> None:
    with pytest.raises(RuntimeError):
        FourierConv1d(2, 3, 8)(torch.randn(1, 2, 5))


def test_it_can_be_trained_after_it_was_asked_in_inference_mode() -> None:
    """As by an experiment that probes its encoder first, and fine-tunes it then."""
    spectra.waves.cache_clear()
    spectra.inverse.cache_clear()
    layer = FourierConv1d(32, 64, 32, stride=4, padding=62, dilation=2)
    epochs = torch.randn(16, 32, 383)
    with torch.inference_mode():
        asked = layer(epochs)
    told = layer(epochs)
    told.sum().backward()
    assert torch.equal(told, asked)
    assert layer.weight.grad is not None


@pytest.mark.parametrize(
    "options", [{"padding_mode": "reflect", "padding": 5}, {"groups": 4}, {"padding": "same"}]
)
def test_what_is_not_usual_is_left_to_torch(always: None, options: dict[str, int]) -> None:
    torch.manual_seed(0)
    ours = FourierConv1d(32, 64, 32, **options)  # type: ignore[arg-type]
    theirs = nn.Conv1d(32, 64, 32, **options)  # type: ignore[arg-type]
    theirs.load_state_dict(ours.state_dict())
    epochs = torch.randn(4, 32, 383)
    assert torch.equal(ours(epochs), theirs(epochs))
