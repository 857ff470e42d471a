"""Policies: order, probability, views and partners."""

from dataclasses import dataclass

import pytest
import torch

from sleepsweep.augment import (
    Member,
    Policy,
    RandomAmplitudeScaling,
    RandomDCShift,
    RandomTimeShift,
    Signal,
    SignFlip,
    TailoredMixup,
    TimeReversal,
    augmentations,
)
from sleepsweep.augment import policy as policies
from sleepsweep.augment.draws import unit
from sleepsweep.augment.policy import _by_mask, _ToRows
from sleepsweep.errors import UserError


@dataclass(frozen=True)
class Times:
    """x·factor, as a policy calls it."""

    factor: float
    needs_partner = False

    def __call__(self, x, generator, partner=None):
        return x * self.factor

    def in_signal(self, signal):
        return self


def policy_of(*augmentations, p=1.0):
    return Policy(tuple(Member(each, p) for each in augmentations))


def test_the_empty_policy_is_the_identity(epochs, seeded):
    x = epochs()
    assert torch.equal(Policy()(x, seeded(0)), x)
    assert not Policy().needs_partner


def test_members_are_applied_in_order(seeded):
    ramp = torch.arange(1.0, 6.0).expand(3, 1, -1)
    shift, reverse = RandomTimeShift(max_samples=1), TimeReversal()
    generator = seeded(3)
    unit(ramp, 1, generator)
    shifted = shift(ramp, generator)
    assert torch.equal(policy_of(shift, reverse)(ramp, seeded(3)), shifted.flip(-1))


@pytest.mark.parametrize("p", [0.0, 0.2, 0.6, 1.0])
@pytest.mark.parametrize("batch", [1, 4000])
def test_the_share_of_epochs_is_p(epochs, seeded, p, batch):
    x = epochs(batch, 1, 4)
    before = x.clone()
    flipped = (policy_of(SignFlip(), p=p)(x, seeded(1)) == -x).all(-1).double().mean()
    assert torch.equal(x, before)
    if batch > 1 or p in (0.0, 1.0):
        assert abs(flipped - p) < 4 * (p * (1 - p) / batch) ** 0.5 + 1e-12


def test_members_are_drawn_independently(epochs, seeded):
    x = epochs(4000, 1, 5)
    result = policy_of(SignFlip(), TimeReversal(), p=0.5)(x, seeded(1))
    for expected in (x, -x, x.flip(-1), -x.flip(-1)):
        assert (result == expected).all(-1).double().mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("apply_where", [_ToRows(), _by_mask])
def test_rows_and_masks_change_the_chosen_epochs_only(epochs, seeded, apply_where):
    x, partner = epochs(6), epochs(6, seed=1)
    chosen = torch.tensor([True, False, False, True, True, False])
    mixed = apply_where(TailoredMixup(), x, chosen, seeded(0), partner)
    assert torch.equal(mixed[~chosen], x[~chosen])
    assert (mixed[chosen] != x[chosen]).any(-1).all()
    flipped = apply_where(SignFlip(), x, chosen, seeded(0), None)
    assert torch.equal(flipped, torch.where(chosen[:, None, None], -x, x))
    for same in (chosen & False, chosen | True):
        result = apply_where(SignFlip(), x, same, seeded(0), None)
        assert torch.equal(result, -x if same.all() else x)


@pytest.mark.parametrize("p", [0.5, 0.05])
def test_rows_and_masks_agree_in_values_and_gradients(epochs, seeded, monkeypatch, p):
    # None of these draws anything but whether it is applied.
    several = policy_of(SignFlip(), Times(2.0), TimeReversal(), Times(3.0), SignFlip(), p=p)
    found = []
    for way in (_ToRows, lambda: _by_mask):
        monkeypatch.setattr(policies, "_ToRows", way)
        x = epochs(40).requires_grad_()
        result = several(x, seeded(3))
        (result * epochs(40, seed=1)).sum().backward()
        found.append((result, x.grad))
    assert not torch.equal(found[0][0], x)
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize("p", [0.3, 0.97])  # with 0.97, some members get all eight epochs
def test_epochs_and_partners_survive_what_is_written_in_place(epochs, seeded, p):
    x, partner = epochs(8), epochs(8, seed=1)
    x_before, partner_before = x.clone(), partner.clone()
    everything = policy_of(*(cls() for cls in augmentations().values()), p=p)
    for seed in range(5):
        first, second = everything.views(x, seeded(seed), lambda batch, generator: partner)
        assert torch.equal(x, x_before)
        assert torch.equal(partner, partner_before)
        assert not torch.equal(first, second)


def test_gradients_flow_through_a_policy(epochs, seeded):
    x, partner = epochs(8, 2, 3000).requires_grad_(), epochs(8, 2, 3000, seed=1)
    everything = policy_of(*(cls() for cls in augmentations().values()), p=0.5)
    (everything(x, seeded(0), partner) * partner).sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad != 0).flatten(1).any(1).sum() > 4  # of one or the other nothing may be left


def test_rows_mix_with_their_own_partner(epochs, seeded):
    x = epochs(40)
    policy = policy_of(TailoredMixup(min_lambda=0.2), p=0.5)
    torch.testing.assert_close(policy(x, seeded(0), x), x)


@pytest.mark.parametrize("choose", [0, 1, 2, 3])
def test_each_epoch_gets_k_of_the_members(seeded, choose):
    x = torch.ones(6000, 1, 1, dtype=torch.float64)
    # Gains of 2, 3 and 5 are known from their product.
    primes = tuple(Member(Times(factor)) for factor in (2.0, 3.0, 5.0))
    products = Policy(primes, choose)(x, seeded(4))[:, 0, 0]
    want = {0: [1], 1: [2, 3, 5], 2: [6, 10, 15], 3: [30]}[choose]
    found = torch.stack([(products == each).double().mean() for each in want])
    assert found.sum() == 1
    assert (found - 1 / len(want)).abs().max() < 0.03


def test_an_offer_is_taken_with_the_members_p(seeded):
    x = torch.ones(6000, 1, 1, dtype=torch.float64)
    members = (Member(Times(2.0), 0.5), Member(Times(3.0), 0.2))
    products = Policy(members, 1)(x, seeded(4))[:, 0, 0]
    for product, share in ((1, 0.65), (2, 0.25), (3, 0.1), (6, 0.0)):
        assert abs((products == product).double().mean() - share) < 0.025


def test_choosing_all_keeps_the_order_and_the_choice_survives_the_signal(epochs, seeded):
    x = epochs(3, 1, 9)
    policy = Policy((Member(TimeReversal()), Member(Times(2.0)), Member(SignFlip())), 3)
    assert torch.equal(policy(x, seeded(0)), -2 * x.flip(-1))
    assert policy.in_signal(Signal()).choose == 3


@pytest.mark.parametrize("choose", [-1, 2])
def test_no_more_can_be_chosen_than_there_are(choose):
    with pytest.raises(UserError, match=rf"choose = {choose}: a policy of 1 .* between 0 and 1"):
        Policy((Member(SignFlip()),), choose)


def test_views_are_independent_and_repeatable(epochs, seeded):
    x = epochs(400, 1, 8)
    policy = policy_of(RandomAmplitudeScaling())
    first, second = policy.views(x, seeded(5), None)
    gains = torch.stack([(view / x)[:, 0, 0] for view in (first, second)])
    assert abs(torch.corrcoef(gains)[0, 1]) < 0.2
    again = policy.views(x, seeded(5), None)
    assert torch.equal(first, again[0])
    assert torch.equal(second, again[1])


def test_both_views_mix_with_the_same_partners_drawn_once(epochs, seeded):
    x, calls = epochs(4), []

    def partners(batch, generator):
        calls.append((batch, generator))
        return epochs(batch, seed=int(torch.randint(100, (1,), generator=generator)))

    generator = seeded(2)
    policy = policy_of(TailoredMixup(), SignFlip())
    first, second = policy.views(x, generator, partners)
    assert calls == [(4, generator)]
    generator = seeded(2)
    partner = partners(4, generator)
    assert torch.equal(first, policy(x, generator, partner))
    assert torch.equal(second, policy(x, generator, partner))


def test_partners_are_not_drawn_in_vain(epochs, seeded):
    def partners(batch, generator):
        raise AssertionError("no member mixes")

    policy_of(SignFlip()).views(epochs(), seeded(0), partners)


def test_mixing_without_partners_is_the_users_error(epochs, seeded):
    policy = policy_of(SignFlip(), TailoredMixup(), p=0.1)
    assert policy.needs_partner
    with pytest.raises(UserError, match="needs a partner"):
        policy(epochs(1), seeded(0))
    with pytest.raises(UserError, match="needs a partner"):
        policy.views(epochs(1), seeded(0), None)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), "often", True])
def test_a_probability_lies_between_zero_and_one(p):
    with pytest.raises(UserError, match=r"SignFlip: p = .*between 0 and 1"):
        Member(SignFlip(), p)


def test_the_signal_reaches_every_member():
    policy = policy_of(RandomDCShift(), SignFlip(), p=0.3).in_signal(Signal(uv_per_unit=1e6))
    assert policy == policy_of(RandomDCShift(uv_per_unit=1e6), SignFlip(), p=0.3)
