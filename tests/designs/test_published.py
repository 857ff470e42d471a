"""Designs on the pool of the published study; two of its sections, policy by policy."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sleepsweep.space import Space

POOL = dict.fromkeys([
    "RandomAmplitudeScaling", "RandomDCShift", "SignFlip", "RandomBandStopFilter", "TailoredMixup",
    "CutoutResize", "RandomZeroMasking", "AverageFiltering", "RandomAdditiveGaussianNoise",
    "TimeReversal", "TimeWarping", "Permutation", "RandomTimeShift",
])  # fmt: skip
BEST = ["TailoredMixup", "TimeWarping", "Permutation", "RandomZeroMasking", "CutoutResize"]


@pytest.fixture
def published(space_of: Callable[..., Space]) -> Callable[..., list[dict[str, float]]]:
    """Return the p of each member of each policy that a design has, on one block."""

    def make(design: Any) -> list[dict[str, float]]:
        space = space_of(design, blocks=1, size=[0, 6], pool=POOL)
        return [
            {member.name: member.p for member in slot.trial.policy}
            for slot in space.slots()
            if slot.trial
        ]

    return make


@pytest.mark.parametrize(
    ("design", "policies"),
    [
        ("singles", 14),
        ("leave_one_out", 14),
        ("pairs", 91),
        ("within_category", 7 + 3 + 3 + 3 + 15),
        ("between_categories", 66),
        ({"between_categories": {"take": "any"}}, 330),
        ({"severity_grid": {"severities": [0.5, 1.0]}}, 22),
    ],
)
def test_counts(published: Callable[..., Any], design: Any, policies: int) -> None:
    assert len(published(design)) == policies


def test_between_categories_8_3(published: Callable[..., Any]) -> None:
    found = published({"between_categories": {"take": "any", "members": BEST}})
    temporal = [["TimeWarping"], ["Permutation"], ["TimeWarping", "Permutation"]]
    masking = [["CutoutResize"], ["RandomZeroMasking"], ["CutoutResize", "RandomZeroMasking"]]
    frequency = [["TailoredMixup"]]
    expected = [
        {*one, *other}
        for first, second in ((frequency, masking), (frequency, temporal), (masking, temporal))
        for one in first
        for other in second
    ]
    assert [set(policy) for policy in found] == expected
    assert len(expected) == 15  # as many rows as section 8.3 of the published table has


def test_sums_of_p_8_4(published: Callable[..., Any]) -> None:
    weights = {"TailoredMixup": 3, "TimeWarping": 3}
    found = published(
        {"probability_grid": {"members": BEST, "sums": [3, 4, 5], "weights": weights}}
    )
    by_member = [tuple(round(policy[name], 2) for name in BEST) for policy in found]
    assert by_member == [
        (0.6, 0.6, 0.6, 0.6, 0.6),
        (1.0, 1.0, 0.33, 0.33, 0.33),
        (0.8, 0.8, 0.8, 0.8, 0.8),
        (1.0, 1.0, 0.67, 0.67, 0.67),
        (1.0, 1.0, 1.0, 1.0, 1.0),
    ]


def test_a_factorial_is_balanced_over_sizes_members_and_blocks(
    space_of: Callable[..., Space],
) -> None:
    space = space_of({"factorial": {"trials": 96}}, blocks=3, size=[0, 6], pool=POOL)
    trials = [slot.trial for slot in space.slots() if slot.trial]
    assert len({frozenset(member.name for member in trial.policy) for trial in trials}) == 96
    sizes = Counter(trial.size for trial in trials)
    assert sizes[1] == 14  # all there are: the other sizes share the rest
    assert {sizes[size] for size in range(2, 7)} == {16, 17}
    assert Counter(trial.block for trial in trials) == {0: 32, 1: 32, 2: 32}
    members = Counter(member.name for trial in trials for member in trial.policy)
    assert max(members.values()) - min(members.values()) <= 1
    in_block = Counter((member.name, trial.block) for trial in trials for member in trial.policy)
    assert max(in_block.values()) - min(in_block[name, 0] for name in space.members) <= 6


def test_the_settings_of_a_factorial_are_drawn_for_each_set(space_of: Callable[..., Space]) -> None:
    slots = space_of({"factorial": {"trials": 20}}).slots()
    drawn = [m.p for s in slots if s.trial for m in s.trial.policy if m.name == "SignFlip"]
    assert len(set(drawn)) == len(drawn) > 3


def test_a_policy_written_out_is_run_as_it_is_written(space_of: Callable[..., Space]) -> None:
    warped = {"Permutation": {"severity": 0.3, "p": 0.5}}
    design = {"list": {"policies": [[warped, "SignFlip"], "none", [{"SignFlip": None}]]}}
    texts = [slot.trial.policy_text for slot in space_of(design).slots() if slot.trial]
    written = "Permutation(severity=0.3, p=0.5) + SignFlip(p=1.0)"
    assert texts == [written, "none", "SignFlip(p=1.0)"] * 2
