"""Contrasts against the average over sets, enumerated one by one."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest

from sleepsweep_analysis.model.dials import Dial
from sleepsweep_analysis.model.layout import Layout

POOL = ("A", "B", "C", "D", "Placebo")


@pytest.fixture
def layout() -> Layout:
    return Layout(
        pool=POOL, category=("x", "x", "y", "y", "placebo"), blocks=(0, 1), early=(0,), top=4,
        smallest=1, largest=3, dials=(Dial("A", "severity", "severity.A", 0.0, 1.0),),
    )  # fmt: skip


def policy(layout: Layout, members: tuple[int, ...]) -> np.ndarray:
    """The row of f for a set of real augmentations."""
    size = np.arange(layout.top + 1) == len(members)
    pairs = [float(set(pair) <= set(members)) for pair in layout.pairs]
    plain = sum((layout.plain(j) for j in members), np.zeros(layout.width))
    return plain + layout.row(pair=np.array(pairs), size=size.astype(float) @ layout.size_root)


def mean_of_sets(layout: Layout, k: int, without: int | None = None) -> list[tuple[int, ...]]:
    return list(combinations([j for j in layout.real if j != without], k))


@pytest.mark.parametrize("j", range(4))
@pytest.mark.parametrize("smallest", [1, 2])
def test_an_effect_is_the_mean_change_when_it_is_added(layout, j, smallest):
    layout, changes = replace(layout, smallest=smallest), []
    for size in range(smallest, 4):  # after adding
        sets = mean_of_sets(layout, size - 1, without=j)
        changes.append(np.mean([policy(layout, (*s, j)) - policy(layout, s) for s in sets], axis=0))
    np.testing.assert_allclose(layout.added(j), np.mean(changes, axis=0), atol=1e-12)


@pytest.mark.parametrize("k", range(4))
def test_the_size_curve_is_the_mean_over_sets(layout, k):
    slow = np.mean([policy(layout, s) for s in mean_of_sets(layout, k)], axis=0)
    np.testing.assert_allclose(layout.of_size(k), slow, atol=1e-12)


def test_an_interaction_is_what_two_add_beyond_each_alone(layout):
    for pair in layout.pairs:
        j, k = pair
        slow = policy(layout, pair) - policy(layout, (j,)) - policy(layout, (k,))
        np.testing.assert_allclose(layout.together(pair), slow + policy(layout, ()), atol=1e-12)


def test_a_placebo_adds_its_own_weight_and_no_size(layout):
    np.testing.assert_array_equal(layout.added(4), layout.row(placebo=np.ones(1)))
    assert layout.real == (0, 1, 2, 3)


def test_batches_stand_side_by_side(layout):
    places = list(layout.places.values())
    assert places[0].start == 0
    assert places[-1].stop == layout.width
    assert all(a.stop == b.start for a, b in pairwise(places))
