from collections import Counter
from collections.abc import Iterable
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sleepsweep.designs.balance import Members, balanced_sets, dealt, levelled, shares

SEEDS = st.integers(0, 10**6)


def spread(counts: Iterable[int]) -> int:
    """How far the largest count is from the smallest."""
    found = list(counts)
    return max(found) - min(found)


def occurrences(sets: Iterable[Members], members: int) -> list[int]:
    counts = Counter(member for chosen in sets for member in chosen)
    return [counts[member] for member in range(members)]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 54), SEEDS)
def test_shares_are_equal_but_for_what_is_full(
    capacities: list[int], count: int, seed: int
) -> None:
    count = min(count, sum(capacities))
    given_out = shares(count, capacities, np.random.default_rng(seed))
    assert sum(given_out) == count
    assert all(share <= room for share, room in zip(given_out, capacities, strict=True))
    open_to = [s for s, room in zip(given_out, capacities, strict=True) if s < room]
    assert all(share >= max(given_out) - 1 for share in open_to)


def test_more_than_there_is_room_for_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        shares(4, [1, 2], np.random.default_rng(0))


@pytest.mark.parametrize("members", [1, 2, 5, 7])
def test_sets_of_a_size_are_distinct_and_balanced_however_many_there_are(members: int) -> None:
    for size in range(1, members + 1):
        for count in range(comb(members, size) + 1):
            sets = balanced_sets(members, size, count, np.random.default_rng(count))
            assert len(set(sets)) == len(sets) == count
            assert {len(chosen) for chosen in sets} <= {size}
            assert spread(occurrences(sets, members)) <= 1


@given(st.integers(2, 13), st.data(), SEEDS)
@settings(deadline=None)  # no assertion about the machine's clock
def test_members_and_blocks_are_balanced_over_all_sizes(
    members: int, data: st.DataObject, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    blocks = data.draw(st.integers(1, 6))
    totals: Counter[int] = Counter()
    classes = []
    for size in range(1, min(members, 6) + 1):
        count = data.draw(st.integers(0, min(comb(members, size), 20)))
        sets = balanced_sets(members, size, count, generator)
        classes.append(levelled(sets, totals, members, generator))
        totals.update(member for chosen in classes[-1] for member in chosen)
        assert len(set(classes[-1])) == count
        assert spread(occurrences(classes[-1], members)) <= 1
        assert spread(totals[member] for member in range(members)) <= 1
    hands = dealt(classes, blocks, generator)
    assert Counter(one for hand in hands for one in hand) == Counter(
        one for sets in classes for one in sets
    )
    assert spread(len(hand) for hand in hands) <= 1
    for size in range(1, min(members, 6) + 1):
        assert spread(sum(len(one) == size for one in hand) for hand in hands) <= 1
