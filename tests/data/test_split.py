"""Splits by subject."""

from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import chisquare

from sleepsweep.data.split import (
    LeakError,
    Split,
    SplitSpec,
    draw_split,
    set_aside,
    split_hash,
)
from sleepsweep.errors import UserError

PEOPLE = {f"sim{k:03d}": 1 for k in range(20)}
# As in Sleep-EDF's cassette study: nearly all with two nights, a few with one.
MIXED = {f"p{k:02d}": 1 if k % 5 == 2 else 2 for k in range(40)}


@given(
    count=st.integers(3, 80),
    test=st.floats(0.01, 0.99),
    validation=st.floats(0.01, 0.99),
    index=st.integers(0, 9),
    seed=st.integers(0, 2**31),
    short=st.integers(1, 9),
)
def test_everybody_is_in_exactly_one_part(
    count: int, test: float, validation: float, index: int, seed: int, short: int
) -> None:
    people = {f"s{k}": 2 if k % short else 1 for k in range(count)}
    spec = SplitSpec(test=test, validation=validation, seed=seed)
    aside = set_aside(people, spec)
    split = draw_split(people, aside, spec, index)
    assert split.test == aside
    assert min(len(split.train), len(split.validation), len(split.test)) >= 1
    assert sorted([*split.train, *split.validation, *split.test]) == sorted(people)


def test_the_shares_are_kept() -> None:
    spec = SplitSpec()
    aside = set_aside(PEOPLE, spec)
    split = draw_split(PEOPLE, aside, spec, 0)
    assert (len(split.test), len(split.validation), len(split.train)) == (3, 3, 14)


def test_blocks_share_the_test_subjects_and_re_draw_the_rest() -> None:
    spec = SplitSpec()
    aside = set_aside(PEOPLE, spec)
    splits = [draw_split(PEOPLE, aside, spec, index) for index in range(5)]
    assert {split.test for split in splits} == {aside}
    assert len({split.validation for split in splits}) > 1


def test_without_resplit_every_block_has_the_first_split() -> None:
    spec = SplitSpec(resplit=False)
    aside = set_aside(PEOPLE, spec)
    splits = {draw_split(PEOPLE, aside, spec, index) for index in range(5)}
    assert splits == {draw_split(PEOPLE, aside, SplitSpec(), 0)}


def test_the_splits_seed_re_draws_all_but_the_test_subjects() -> None:
    specs = [SplitSpec(seed=seed) for seed in range(5)]
    assert len({set_aside(PEOPLE, spec) for spec in specs}) == 1
    aside = set_aside(PEOPLE, specs[0])
    assert len({draw_split(PEOPLE, aside, spec, 0).validation for spec in specs}) > 1


def test_a_draw_depends_on_the_names_and_not_on_their_order() -> None:
    spec = SplitSpec(seed=3)
    backwards = dict(reversed(MIXED.items()))
    assert set_aside(backwards, spec) == set_aside(MIXED, spec)
    aside = set_aside(MIXED, spec)
    assert draw_split(backwards, aside[::-1], spec, 1) == draw_split(MIXED, aside, spec, 1)


@given(
    nights=st.lists(st.integers(1, 5), min_size=3, max_size=60),
    seed=st.integers(0, 10**6),
    index=st.integers(0, 20),
    share=st.floats(0.1, 0.9),
)
def test_each_part_has_its_share_of_those_with_as_many_nights(
    nights: list[int], seed: int, index: int, share: float
) -> None:
    people = {f"s{k}": count for k, count in enumerate(nights)}
    split = draw_split(people, (), SplitSpec(validation=share, seed=seed), index)
    for count, everyone in Counter(nights).items():
        drawn = sum(people[name] == count for name in split.validation)
        assert abs(drawn - everyone * len(split.validation) / len(people)) < 1


@pytest.mark.parametrize("keys", [{"validation": 0.4}, {"folds": 3}])
def test_everybody_is_as_likely_to_be_drawn(keys: dict[str, Any]) -> None:
    people = {"a": 1, "b": 2, "c": 2, "d": 2, "e": 3, "f": 3}
    times = Counter(
        name
        for seed in range(2000)
        for name in draw_split(people, (), SplitSpec(**keys, seed=seed), 0).validation
    )
    assert chisquare([times[name] for name in people]).pvalue > 0.01


@pytest.mark.parametrize(
    ("people", "keys"),
    [
        ({"a": 4, "b": 3, "c": 2, "d": 1}, {"validation": 0.5}),
        ({name: 1 + k for k, name in enumerate("abcdef")}, {"folds": 3}),
    ],
)
def test_where_nobody_has_as_many_nights_the_draw_is_a_plain_one(
    people: dict[str, int], keys: dict[str, Any]
) -> None:
    pairs = Counter(
        draw_split(people, (), SplitSpec(**keys, seed=seed), 0).validation for seed in range(1500)
    )
    assert set(pairs) == set(combinations(people, 2))
    assert chisquare(list(pairs.values())).pvalue > 0.01


@given(
    count=st.integers(4, 60),
    kinds=st.integers(1, 20),
    folds=st.integers(2, 10),
    seed=st.integers(0, 999),
)
def test_folds_validate_on_everybody_once(count: int, kinds: int, folds: int, seed: int) -> None:
    people = {f"s{k}": 1 + k % kinds for k in range(max(count, folds + 2))}
    spec = SplitSpec(folds=folds, seed=seed, test=0.01)
    aside = set_aside(people, spec)
    splits = [draw_split(people, aside, spec, block) for block in range(2 * folds)]
    for around in (splits[:folds], splits[folds:]):
        validated = [name for split in around for name in split.validation]
        assert sorted(validated) == sorted(set(people) - set(aside))
        sizes = [len(split.validation) for split in around]
        assert max(sizes) - min(sizes) <= 1
        for nights in range(1, 1 + kinds):
            shares = [sum(people[n] == nights for n in split.validation) for split in around]
            assert max(shares) - min(shares) <= 1


def test_blocks_beyond_the_folds_are_cut_anew() -> None:
    spec = SplitSpec(folds=4)
    splits = [draw_split(PEOPLE, (), spec, block) for block in range(8)]
    assert not {split.validation for split in splits[:4]} & {s.validation for s in splits[4:]}


def test_more_folds_than_subjects() -> None:
    with pytest.raises(UserError, match=r"4 left, at least 5 are needed.*split\.folds"):
        draw_split(dict.fromkeys("abcde", 1), ["a"], SplitSpec(folds=5), 0)


def test_the_hash_names_everybody_in_their_role() -> None:
    assert split_hash(["a", "b"], ["a"], ["c"]) == split_hash(("a", "b"), ("a",), ("c",))
    others = [(["a", "b"], ["b"], ["c"]), (["a"], ["a"], ["b", "c"]), (["a"], ["a"], ["c"])]
    assert len({split_hash(*roles) for roles in [(["a", "b"], ["a"], ["c"]), *others]}) == 4


def test_a_subject_in_two_parts_is_a_leak() -> None:
    with pytest.raises(LeakError, match=r"in more than one place of a split: b$"):
        Split(train=("a", "b"), validation=("b",), test=("c",))
    with pytest.raises(LeakError, match="b"):
        Split(train=("a", "b"), validation=("c",), test=("b",))
    with pytest.raises(LeakError, match="a"):
        Split(train=("a", "a"), validation=("c",), test=("b",))


@pytest.mark.parametrize("people", [[], ["a"], ["a", "b"]])
def test_too_few_subjects(people: list[str]) -> None:
    with pytest.raises(UserError, match=rf"^{len(people)} subjects found .*at least 3 are needed"):
        set_aside(dict.fromkeys(people, 2), SplitSpec())


def test_too_few_left() -> None:
    with pytest.raises(UserError, match=r"3 subjects, 2 of them set aside .* 1 left"):
        draw_split(dict.fromkeys("abc", 1), ["a", "b"], SplitSpec(), 0)


def test_another_protocol_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"not supported .*: subject, file, as_published"):
        SplitSpec(protocol="random")


def test_the_published_protocol_validates_on_its_test_subjects() -> None:
    nights = {f"s{number:02}": 2 for number in range(78)}
    spec = SplitSpec(protocol="as_published", test=0.155, blocks=4)
    assert set_aside(nights, spec) == ()
    splits = [draw_split(nights, (), spec, block) for block in range(4)]
    assert {(len(split.train), len(split.validation)) for split in splits} == {(66, 12)}
    assert len({split.validation for split in splits}) == 4
    assert all(split.test == () for split in splits)


@pytest.mark.parametrize("more", [{"validation": 0.2}, {"folds": 5}, {"resplit": False}])
def test_the_published_protocol_has_no_validation_of_its_own(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="remove validation, folds and resplit"):
        SplitSpec.model_validate({"protocol": "as_published", **more})


@pytest.mark.parametrize(
    "wrong",
    [
        {"test": 0.0},
        {"test": 1.0},
        {"validation": 0.0},
        {"validation": 1.5},
        {"blocks": 0},
        {"folds": 1},
    ],
)
def test_shares_that_leave_a_part_empty_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SplitSpec.model_validate(wrong)


def test_folds_and_a_validation_share_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="folds and validation exclude each other"):
        SplitSpec(folds=5, validation=0.2)


@pytest.mark.parametrize(
    ("keys", "blocks"),
    [
        ({}, 3),
        ({"blocks": None}, 3),
        ({"folds": 5}, 5),
        ({"folds": 5, "blocks": None}, 5),
        ({"folds": 5, "blocks": 2}, 2),
    ],
)
def test_each_fold_is_a_block_where_blocks_are_not_given(keys: dict[str, Any], blocks: int) -> None:
    spec = SplitSpec.model_validate(keys)
    assert spec.blocks == blocks
    assert SplitSpec.model_validate(spec.model_dump(mode="json")) == spec
