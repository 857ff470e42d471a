"""What may be embedded, and samples of it."""

from typing import Any

import numpy as np
import pytest

from sleepsweep.errors import UserError
from sleepsweep.latent import Embedded
from sleepsweep.latent.embedded import collapsed, scaled


def embedding(**changes: Any) -> Embedded:
    given = {"features": np.eye(3), "stages": [0, 1, 4], "subjects": ["a", "a", "b"]}
    return Embedded(**{**given, **changes})


def test_arrays_become_what_they_are_said_to_be() -> None:
    made = embedding(views=[np.eye(3), np.ones((3, 3))], subjects=[7, 7, 8])
    assert (made.features.dtype, made.stages.dtype) == (np.float32, np.int8)
    assert made.subjects.tolist() == ["7", "7", "8"]
    assert made.views is not None
    assert {view.dtype for view in made.views} == {np.dtype(np.float32)}
    assert len(made) == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"features": np.ones(3)}, r"features: shape \(3,\), where \(epoch, latent_dim\)"),
        ({"features": np.ones((3, 0))}, "features: shape"),
        ({"features": np.eye(4)}, r"stages: shape \(3,\), where \(4,\)"),
        ({"stages": [0, 1, 5]}, "0–4"),
        ({"stages": [0, 1, 0.5]}, "0–4"),
        ({"stages": [0, 1, -1]}, "0–4"),
        ({"subjects": ["a"]}, "subjects: shape"),
        ({"views": (np.eye(3), np.eye(4)[:3])}, "views: "),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(changes: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        embedding(**changes)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("field", ["features", "views"])
def test_embeddings_that_are_not_finite_are_the_users_to_mend(bad: float, field: str) -> None:
    broken = np.eye(3)
    broken[1, 2] = bad
    with pytest.raises(UserError, match=r"1 of 3 embeddings .* first one epoch 1.*learning rate"):
        embedding(**{field: (np.eye(3), broken) if field == "views" else broken})


def test_no_epochs_are_the_users_to_mend() -> None:
    with pytest.raises(UserError, match="no epoch"):
        Embedded(np.empty((0, 4)), np.array([]), np.array([]))


def test_a_sample_keeps_the_shares_of_stages_and_subjects(embedded: Embedded) -> None:
    for count in (7, 40, 149):
        drawn = embedded.sample(count)
        assert len(drawn) == count
        share = count / len(embedded)
        for stage in range(5):
            there = embedded.stages == stage
            assert abs((drawn.stages == stage).sum() - share * there.sum()) < 1
            for subject in np.unique(embedded.subjects):
                both = there & (embedded.subjects == subject)
                kept = (drawn.stages == stage) & (drawn.subjects == subject)
                assert abs(kept.sum() - share * both.sum()) < 1


def test_a_sample_is_repeatable_in_order_and_whole(embedded: Embedded) -> None:
    rows = embedded.sample_rows(50, seed=3)
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, embedded.sample_rows(50, seed=3))
    assert not np.array_equal(rows, embedded.sample_rows(50, seed=4))
    drawn = embedded.sample(50, seed=3)
    np.testing.assert_array_equal(drawn.features, embedded.features[rows])
    assert drawn.views is not None
    assert embedded.views is not None
    np.testing.assert_array_equal(drawn.views[1], embedded.views[1][rows])
    np.testing.assert_array_equal(embedded.sample(1000).features, embedded.features)
    with pytest.raises(ValueError, match="at least one"):
        embedded.sample(0)


def test_every_epoch_is_drawn_as_often(embedded: Embedded) -> None:
    drawn = np.zeros(len(embedded))
    for seed in range(600):
        drawn[embedded.sample_rows(30, seed)] += 1
    assert abs(drawn / 600 - 0.2).max() < 4.5 * np.sqrt(0.2 * 0.8 / 600)


def test_embeddings_that_differ_by_rounding_only_have_collapsed() -> None:
    same = np.full((5, 3), 7.0, dtype=np.float32)
    same[2, 1] = np.nextafter(same[2, 1], np.float32(8))
    assert collapsed(same)
    assert not scaled(same).any()
    assert collapsed(np.zeros((5, 3)))
    assert collapsed(np.ones((1, 3)))
    assert not collapsed(1e-20 * np.eye(3))
    assert np.abs(scaled(1e30 * np.eye(3, dtype=np.float32))).max() == 1
