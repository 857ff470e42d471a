"""From one convolution to the next: the same numbers as layer by layer, and a quarter kept."""

from collections.abc import Iterator
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.func import functional_call, grad, stack_module_state, vmap

from sleepsweep.learn.encoders import SimpleSleepNet
from sleepsweep.learn.encoders.convolution import Stages, stage
from sleepsweep.learn.encoders.fourier import Way
from sleepsweep.learn.encoders.turn import turned


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Way, "pays", lambda *_: True)


def stages(dropout: float = 0.2, bias: bool = False) -> Stages:
    """Two stages of few channels, of which the second's convolution has stride and dilation."""
    torch.manual_seed(0)
    first = stage(1, 4, 5, dropout, stride=3, padding=2, dilation=1, bias=bias)
    second = stage(4, 6, 4, dropout, stride=2, padding=3, dilation=2, bias=bias)
    made = Stages(*first, *second)
    for layer in made:
        if isinstance(layer, nn.BatchNorm1d):
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
    return made


def layer_by_layer(made: nn.Module) -> nn.Module:
    """The same layers, one after the other."""
    plain = deepcopy(made)
    for part in plain.modules():
        if isinstance(part, Stages):
            part.__class__ = nn.Sequential  # type: ignore[assignment]
    return plain


def trained(network: nn.Module, epochs: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Output, gradients and statistics after a step, by name."""
    torch.manual_seed(1)
    epochs = epochs.clone().requires_grad_()
    found = network(epochs)
    (
        found * torch.linspace(-1, 1, found.numel(), dtype=found.dtype).view_as(found)
    ).sum().backward()
    assert epochs.grad is not None
    yield "output", found.detach()
    yield "epochs", epochs.grad
    for name, weight in network.named_parameters():
        assert weight.grad is not None
        yield name, weight.grad
    yield from network.named_buffers()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_step_is_that_of_the_layers_one_by_one(always: None, dropout: float, bias: bool) -> None:
    made = stages(dropout, bias).double()
    epochs = torch.randn(7, 1, 50, dtype=torch.float64)
    for (name, ours), (_, theirs) in zip(
        trained(layer_by_layer(made), epochs), trained(made, epochs), strict=True
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-10, msg=name)


def test_the_encoder_of_the_study_learns_the_same_in_single_precision() -> None:
    torch.manual_seed(0)
    made = SimpleSleepNet()
    epochs = torch.randn(24, 1, 3000)
    for (name, ours), (_, theirs) in zip(
        trained(made, epochs), trained(layer_by_layer(made), epochs), strict=True
    ):
        largest = float(theirs.abs().max())
        if name != "head.0.bias":  # which a batch norm follows: its gradient is 0 and rounding
            torch.testing.assert_close(ours, theirs, atol=1e-5 * largest, rtol=1e-5, msg=name)


def test_its_gradient_is_that_of_its_numbers(always: None) -> None:
    made = stages().double()
    epochs = torch.randn(3, 1, 40, dtype=torch.float64, requires_grad=True)

    def asked(epochs: Tensor, *weights: Tensor) -> Tensor:
        torch.manual_seed(3)  # the same elements are dropped each time
        names = [name for name, _ in made.named_parameters()]
        found: Tensor = functional_call(made, dict(zip(names, weights, strict=True)), (epochs,))
        return found

    assert torch.autograd.gradcheck(asked, (epochs, *made.parameters()))


def test_kept_are_the_epochs_what_convolutions_gave_and_which_elements_dropout_kept() -> None:
    made, epochs = SimpleSleepNet(dropout=0.2).convolutions, torch.randn(16, 1, 3000)
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        made(epochs).mean(dim=-1)
    convolved = 16 * (32 * 383 + 64 * 112 + 128 * 86)
    weights = sum(weight.numel() for weight in made.parameters())
    assert sum(kept.values()) < 1.02 * (4 * (epochs.numel() + convolved + weights) + convolved)


@pytest.mark.filterwarnings("error")
def test_networks_that_are_trained_as_one_learn_what_each_learns_alone(always: None) -> None:
    made = [stages(dropout=0.0).double() for _ in range(3)]
    for seed, network in enumerate(made):
        torch.manual_seed(seed)
        nn.init.normal_(network[0].weight)  # type: ignore[arg-type]
    epochs = torch.randn(3, 5, 1, 50, dtype=torch.float64)
    weights, statistics = stack_module_state(made)  # type: ignore[arg-type]

    def loss(weights: dict[str, Tensor], statistics: dict[str, Tensor], epochs: Tensor) -> Tensor:
        found: Tensor = functional_call(made[0], (weights, statistics), (epochs,))
        return found.square().mean()

    gradients = vmap(grad(loss))(weights, statistics, epochs)
    for place, network in enumerate(made):
        network(epochs[place]).square().mean().backward()
        for name, weight in network.named_parameters():
            torch.testing.assert_close(gradients[name][place], weight.grad, msg=name)
        for name, known in network.named_buffers():
            torch.testing.assert_close(statistics[name][place], known, msg=name)


def test_a_gradient_of_the_gradient_is_refused_rather_than_wrong(always: None) -> None:
    epochs = torch.randn(4, 1, 40, requires_grad=True)
    (first,) = torch.autograd.grad(stages()(epochs).square().sum(), epochs, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_statistics_without_momentum_are_means_of_all_batches() -> None:
    ours, theirs = (nn.BatchNorm1d(4, momentum=None) for _ in range(2))
    layers = [ours, *stages()[2:4]]
    for seed in range(3):
        torch.manual_seed(seed)
        values = 5 + torch.randn(6, 4, 9)
        turned(values, layers)
        theirs(values)
    for name, known in theirs.named_buffers():
        torch.testing.assert_close(dict(ours.named_buffers())[name], known, msg=name)


def test_other_layers_and_other_states_are_left_to_torch() -> None:
    norm, mish, dropout = [*stages()][1:4]
    values = torch.randn(6, 4, 9)
    assert turned(values, [norm, mish, dropout]) is not None
    assert turned(values, [norm, mish]) is None
    assert turned(values, [norm, nn.ReLU(), dropout]) is None
    assert turned(values, [norm, mish, nn.Dropout(0.2)]) is None
    assert turned(values, [nn.BatchNorm1d(4, affine=False), mish, dropout]) is None
    assert turned(values, [deepcopy(norm).eval(), mish, dropout]) is None
    assert turned(values[:1, :, :1], [norm, mish, dropout]) is None
    assert turned(values.bfloat16(), [norm, mish, dropout]) is None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert turned(values, [norm, mish, dropout]) is None


def test_outside_training_layers_follow_each_other(always: None) -> None:
    made, epochs = stages().eval(), torch.randn(5, 1, 50)
    assert torch.equal(made(epochs), layer_by_layer(made)(epochs))
