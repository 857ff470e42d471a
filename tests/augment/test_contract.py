"""What every registered augmentation promises, whatever it does."""

import pickle
import re
from dataclasses import fields
from typing import get_type_hints

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from sleepsweep.augment import Augmentation, Member, Policy, augmentations
from sleepsweep.augment import policy as policies

ALL = list(augmentations().values())
DETERMINISTIC = {"SignFlip", "TimeReversal", "Placebo"}
RANDOM = [cls for cls in ALL if cls.__name__ not in DETERMINISTIC]
WITH_DIAL = [cls for cls in ALL if cls.dial is not None]

shapes = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 300))
dtypes = st.sampled_from([torch.float32, torch.float64, torch.bfloat16, torch.float16])
seeds = st.integers(0, 2**31)
severities = st.floats(0, 1)


def at(cls: type[Augmentation], severity: float) -> Augmentation:
    return cls() if cls.dial is None else cls.at_severity(severity)


def enough(cls: type[Augmentation], shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """The shape with as many channels as the augmentation needs at least."""
    return shape[0], max(shape[1], cls.min_channels), shape[2]


class NoWaiting(TorchDispatchMode):
    """Fail on what would make an accelerator wait: reading a value, shapes that depend on data."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = str(operation)
        for waiting in ("_local_scalar_dense", "nonzero", "masked_select", "unique", "aten.equal"):
            assert waiting not in name
        if name.startswith(("aten.index.", "aten.index_put")):
            assert all(each is None or each.dtype != torch.bool for each in args[1])
        if name.startswith("aten.repeat_interleave"):
            assert (kwargs or {}).get("output_size") is not None
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize("cls", ALL)
@settings(max_examples=25, deadline=None)
@given(shape=shapes, dtype=dtypes, seed=seeds, severity=severities)
def test_shape_dtype_values_input_and_stream(cls, epochs, seeded, shape, dtype, seed, severity):
    shape = enough(cls, shape)
    x, partner = epochs(*shape, dtype, seed=1), epochs(*shape, dtype, seed=2)
    x_before, partner_before = x.clone(), partner.clone()
    augment = at(cls, severity)
    result = augment(x, seeded(seed), partner)
    assert result.shape == x.shape
    assert result.dtype == x.dtype
    assert result.device == x.device
    assert result.isfinite().all()
    assert torch.equal(x, x_before)
    assert torch.equal(partner, partner_before)
    assert torch.equal(result, augment(x, seeded(seed), partner))


@pytest.mark.parametrize("cls", WITH_DIAL)
@settings(max_examples=10, deadline=None)
@given(shape=shapes, dtype=dtypes, seed=seeds)
def test_severity_zero_is_the_identity_to_the_bit(cls, epochs, seeded, shape, dtype, seed):
    shape = enough(cls, shape)
    x, partner = epochs(*shape, dtype, seed=1), epochs(*shape, dtype, seed=2)
    assert torch.equal(cls.at_severity(0)(x, seeded(seed), partner), x)


@pytest.mark.parametrize("cls", ALL)
def test_probability_zero_is_the_identity_to_the_bit(cls, epochs, seeded):
    x, partner = epochs(seed=1), epochs(seed=2)
    policy = Policy((Member(cls(), 0.0),))
    assert torch.equal(policy(x, seeded(0), partner), x)


@pytest.mark.parametrize("cls", RANDOM)
def test_another_seed_gives_another_result(cls, epochs, seeded):
    x, partner = epochs(8, 2, 3000, seed=1), epochs(8, 2, 3000, seed=2)
    assert not torch.equal(cls()(x, seeded(0), partner), cls()(x, seeded(1), partner))


@pytest.mark.parametrize("cls", RANDOM)
def test_epochs_have_their_own_draws_and_channels_share_them(cls, epochs, seeded):
    x, partner = (epochs(1, 1, 3000, seed=seed).expand(32, 3, -1) for seed in (1, 2))
    result = cls()(x, seeded(0), partner)
    distinct = {tuple(epoch.flatten().tolist()) for epoch in result}
    assert len(distinct) > 3  # the published cutout has four results
    if not cls.own_draws_by_channel:
        torch.testing.assert_close(result[:, 0], result[:, 1])


@pytest.mark.parametrize("length", [301, 300])
@pytest.mark.parametrize("cls", ALL)
def test_non_contiguous_input_and_no_epochs(cls, epochs, seeded, length):
    x, partner = (epochs(length, 2, 4, seed=seed).permute(2, 1, 0) for seed in (0, 1))
    assert not x.is_contiguous()
    result = cls()(x, seeded(0), partner)
    torch.testing.assert_close(result, cls()(x.contiguous(), seeded(0), partner.contiguous()))
    assert cls()(x[:0], seeded(0), partner[:0]).shape == (0, 2, length)


@pytest.mark.parametrize("cls", [c for c in ALL if c.__name__ != "RandomAdditiveGaussianNoise"])
def test_both_dtypes_see_the_same_draws(cls, epochs, seeded):
    x, partner = epochs(6, 2, 3000, seed=1), epochs(6, 2, 3000, seed=2)
    precise = cls()(x, seeded(0), partner)
    single = cls()(x.float(), seeded(0), partner.float())
    torch.testing.assert_close(single.double(), precise, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("cls", ALL)
def test_nothing_waits_for_the_device(cls, epochs, seeded):
    x, partner = epochs(), epochs(seed=1)
    with NoWaiting():
        cls()(x, seeded(0), partner)


def test_nothing_in_a_policy_waits_for_the_device(epochs, seeded, monkeypatch):
    # An accelerator's way through a policy, taken by the processor.
    monkeypatch.setattr(policies, "_ToRows", lambda: policies._by_mask)
    x, partner = epochs(), epochs(seed=1)
    everything = Policy(tuple(Member(cls(), 0.5) for cls in ALL), choose=len(ALL) - 1)
    with NoWaiting():
        everything.views(x, seeded(0), lambda batch, generator: partner)


@pytest.mark.parametrize(
    "waits",
    [
        lambda x: x.sum().item(),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: x.unique(),
        lambda x: torch.equal(x, x),
        lambda x: x.repeat_interleave((x > 0).long()),
    ],
)
def test_what_waits_is_found(waits):
    with pytest.raises(AssertionError), NoWaiting():
        waits(torch.ones(8))


@pytest.mark.parametrize("cls", ALL)
def test_an_augmentation_is_a_value(cls):
    assert "__dataclass_params__" in vars(cls), "decorate the class with @dataclass(frozen=True)"
    augment = at(cls, 0.7)
    assert pickle.loads(pickle.dumps(augment)) == augment  # noqa: S301
    assert hash(at(cls, 0.7)) == hash(augment)
    plain = (int, float, bool, int | None, float | None)
    types = get_type_hints(cls)
    assert all(types[each.name] in plain for each in fields(cls))


@pytest.mark.parametrize("cls", ALL)
def test_an_augmentation_says_what_it_does_and_who_published_it(cls):
    assert len(cls.definition()) > 10
    if cls.category != "placebo":
        assert re.search(r"\b(19|20)\d\d\b", cls.source()), "end the docstring with the source"


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(cls, epochs, seeded, dtype):
    x, partner = epochs(4, 2, 301, dtype, seed=1), epochs(4, 2, 301, dtype, seed=2)
    want = cls()(x.float(), seeded(0), partner.float()).to(dtype)
    assert torch.equal(cls()(x, seeded(0), partner), want)


@pytest.mark.parametrize("cls", ALL)
def test_gradients_flow_to_the_epochs(cls, epochs, seeded):
    x, partner = epochs(6, 2, 301, seed=1).requires_grad_(), epochs(6, 2, 301, seed=2)
    (cls()(x, seeded(0), partner) * partner).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("cls", WITH_DIAL)
def test_parameters_are_the_dial_by_another_name(cls):
    # Giving the dial's field is giving the severity: one way in, whatever the YAML says.
    field = cls.dial.field
    assert cls(**{field: getattr(cls.at_severity(0.3), field)}) == cls.at_severity(0.3)
