"""Splits by subject."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sleepsweep.data.split import LeakError, Split, SplitSpec, draw_split, set_aside
from sleepsweep.errors import UserError

PEOPLE = [f"sim{k:03d}" for k in range(20)]


@given(
    count=st.integers(3, 80),
    test=st.floats(0.01, 0.99),
    validation=st.floats(0.01, 0.99),
    index=st.integers(0, 9),
    seed=st.integers(0, 2**31),
)
def test_everybody_is_in_exactly_one_part(
    count: int, test: float, validation: float, index: int, seed: int
) -> None:
    people = [f"s{k}" for k in range(count)]
    spec = SplitSpec(test=test, validation=validation)
    aside = set_aside(people, spec)
    split = draw_split(people, aside, spec, index, seed)
    assert split.test == aside
    assert min(len(split.train), len(split.validation), len(split.test)) >= 1
    assert sorted([*split.train, *split.validation, *split.test]) == sorted(people)


def test_the_shares_are_kept() -> None:
    spec = SplitSpec()
    aside = set_aside(PEOPLE, spec)
    split = draw_split(PEOPLE, aside, spec, 0, 0)
    assert (len(split.test), len(split.validation), len(split.train)) == (3, 3, 14)


def test_blocks_share_the_test_subjects_and_re_draw_the_rest() -> None:
    spec = SplitSpec()
    aside = set_aside(PEOPLE, spec)
    splits = [draw_split(PEOPLE, aside, spec, index, 0) for index in range(5)]
    assert {split.test for split in splits} == {aside}
    assert len({split.validation for split in splits}) > 1


def test_without_resplit_every_block_has_the_first_split() -> None:
    spec = SplitSpec(resplit=False)
    aside = set_aside(PEOPLE, spec)
    splits = {draw_split(PEOPLE, aside, spec, index, 0) for index in range(5)}
    assert splits == {draw_split(PEOPLE, aside, SplitSpec(), 0, 0)}


def test_a_draw_depends_on_the_names_and_not_on_their_order() -> None:
    spec = SplitSpec()
    assert set_aside(PEOPLE[::-1], spec) == set_aside(PEOPLE, spec)
    aside = set_aside(PEOPLE, spec)
    backwards = draw_split(PEOPLE[::-1], aside[::-1], spec, 1, 3)
    assert backwards == draw_split(PEOPLE, aside, spec, 1, 3)


def test_a_subject_in_two_parts_is_a_leak() -> None:
    with pytest.raises(LeakError, match=r"in more than one place of a split: b$"):
        Split(train=("a", "b"), validation=("b",), test=("c",))
    with pytest.raises(LeakError, match="b"):
        Split(train=("a", "b"), validation=("c",), test=("b",))
    with pytest.raises(LeakError, match="a"):
        Split(train=("a", "a"), validation=("c",), test=("b",))


@pytest.mark.parametrize("people", [[], ["a"], ["a", "b"], ["a", "b", "b"]])
def test_too_few_subjects(people: list[str]) -> None:
    count = len(set(people))
    with pytest.raises(UserError, match=rf"^{count} subjects found .*at least 3 are needed"):
        set_aside(people, SplitSpec())


def test_too_few_left() -> None:
    with pytest.raises(UserError, match=r"3 subjects, 2 of them set aside .* 1 left"):
        draw_split(["a", "b", "c"], ["a", "b"], SplitSpec(), 0, 0)


@pytest.mark.parametrize("protocol", ["file", "as_published", "random"])
def test_other_protocols_are_refused(protocol: str) -> None:
    with pytest.raises(ValidationError, match=r"not supported .*: subject"):
        SplitSpec(protocol=protocol)


@pytest.mark.parametrize(
    "wrong", [{"test": 0.0}, {"test": 1.0}, {"validation": 0.0}, {"validation": 1.5}, {"blocks": 0}]
)
def test_shares_that_leave_a_part_empty_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SplitSpec.model_validate(wrong)
