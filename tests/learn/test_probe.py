from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.datasets import make_classification
from sklearn.model_selection import GroupKFold

from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.learn.probe import CHOICES_OF_C, ProbeSpec, embed
from sleepsweep.metrics import confusion, macro_f1


def blobs(stages: int = 4) -> tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.int64]]:
    """Features and stages that are linearly there, of ten subjects."""
    features, classes = make_classification(
        400, n_features=12, n_informative=8, n_classes=stages, class_sep=3.0, random_state=0
    )
    return features.astype(np.float32), classes.astype(np.int8), np.arange(400) % 10


@pytest.mark.parametrize("kind", ["linear", "knn"])
def test_the_probe_reads_what_is_there_and_is_repeatable(kind: str) -> None:
    features, stages, subjects = blobs()
    spec = ProbeSpec.model_validate({"kind": kind})
    first, again = (
        spec.fit(features[:300], stages[:300], subjects[:300]).predict(features[300:])
        for _ in range(2)
    )
    assert np.mean(first == stages[300:]) > 0.8
    assert np.array_equal(first, again)


@pytest.mark.parametrize("kind", ["linear", "knn"])
def test_one_stage_only_is_predicted_everywhere(kind: str) -> None:
    features = np.zeros((5, 3), dtype=np.float32)
    spec = ProbeSpec.model_validate({"kind": kind, "C": "cross_validated"})
    probe = spec.fit(features, np.full(5, 2, dtype=np.int8), np.arange(5))
    assert probe.predict(features[:2]).tolist() == [2, 2]


def test_neighbours_vote_as_a_slow_search_has_it_and_may_be_more_than_there_are() -> None:
    features, stages, subjects = blobs()
    probe = ProbeSpec(kind="knn", neighbours=7).fit(features[:60], stages[:60], subjects[:60])
    scaled = (features - features[:60].mean(axis=0)) / features[:60].std(axis=0)
    for row in range(300, 320):
        order = np.argsort(((scaled[:60] - scaled[row]) ** 2).sum(axis=1))[:7]
        votes = np.bincount(stages[order], minlength=5)
        assert votes[probe.predict(features[[row]])[0]] == votes.max()
    few = ProbeSpec(kind="knn").fit(features[:4], stages[:4], subjects[:4])
    assert few.predict(features[:9]).shape == (9,)


def test_c_is_chosen_among_the_labelled_subjects_and_by_subject() -> None:
    features, stages, subjects = blobs()
    spec = ProbeSpec(C="cross_validated")
    probe = spec.fit(features, stages, subjects)
    assert probe.C in CHOICES_OF_C
    # By hand: the macro-F1 of each fold of two subjects, for each C.
    scores = []
    for C in CHOICES_OF_C:
        folds = GroupKFold(5).split(features, stages, subjects)
        fold_scores = []
        for train, test in folds:
            assert not set(subjects[train]) & set(subjects[test])
            fitted = ProbeSpec(C=C).fit(features[train], stages[train], subjects[train])
            matrix = confusion(stages[test], fitted.predict(features[test]))
            fold_scores.append(macro_f1(matrix))
        scores.append(np.mean(fold_scores))
    assert CHOICES_OF_C[int(np.argmax(scores))] == probe.C


@pytest.mark.parametrize("people", [1, 2])
def test_too_few_subjects_to_choose_c_take_one(people: int) -> None:
    features, stages, _ = blobs()
    # Two subjects of one stage each: no fold leaves two stages to learn from.
    rows = np.flatnonzero(stages < 2)
    subjects = stages[rows] % people
    probe = ProbeSpec(C="cross_validated").fit(features[rows], stages[rows], subjects)
    assert probe.C == 1.0


@pytest.mark.parametrize("stages", [1, 2, 4])
def test_the_coefficients_predict_as_the_probe_does(stages: int) -> None:
    features, classes, subjects = blobs(max(stages, 2))
    classes = (classes + 1) if stages > 1 else np.full_like(classes, 3)
    probe = ProbeSpec().fit(features, classes, subjects)
    found = probe.coefficients()
    if stages == 1:
        assert found is None
        return
    weights, biases = found
    guessed = (features @ weights.T + biases).argmax(axis=1)
    assert np.array_equal(guessed, probe.predict(features))


def test_neighbours_have_no_coefficients() -> None:
    features, stages, subjects = blobs()
    assert ProbeSpec(kind="knn").fit(features, stages, subjects).coefficients() is None


def test_a_limited_probe_reads_epochs_spread_over_the_night() -> None:
    rows = np.arange(1000, 2000)
    chosen = ProbeSpec(epochs_per_subject=11).choose(rows)
    assert chosen[[0, -1]].tolist() == [1000, 1999]
    assert len(np.unique(chosen)) == 11
    assert np.ptp(np.diff(chosen)) <= 1
    assert ProbeSpec().choose(rows) is rows


def test_embedding_is_without_dropout_and_in_parts_as_in_one() -> None:
    encoder = EncoderSpec(latent_dim=8).build(1, 0)
    epochs = np.random.default_rng(0).normal(size=(10, 1, 600)).astype(np.float32)
    whole = embed(encoder, epochs)
    assert np.array_equal(whole, embed(encoder, epochs))
    np.testing.assert_allclose(whole, embed(encoder, epochs, batch_size=3), atol=1e-6)
    assert not encoder.training
    assert torch.is_grad_enabled()


PEOPLE = [f"s{k:02d}" for k in range(66)]


@pytest.mark.parametrize(
    ("share", "count"), [(0.001, 1), (0.01, 1), (0.05, 3), (0.1, 7), (0.5, 33), (1.0, 66)]
)
def test_a_share_of_the_subjects_is_labelled_and_at_least_one(share: float, count: int) -> None:
    chosen = ProbeSpec(label_fraction=share).labelled(PEOPLE, split=0, seed=0)
    assert len(set(chosen)) == len(chosen) == count
    assert set(chosen) <= set(PEOPLE)
    assert list(chosen) == sorted(chosen)
    assert ProbeSpec(label_fraction=share).labelled(PEOPLE[::-1], split=0, seed=0) == chosen


def test_the_labelled_of_a_small_share_are_among_those_of_a_larger_one() -> None:
    for seed in range(5):
        nested = [
            set(ProbeSpec(label_fraction=share).labelled(PEOPLE, split=1, seed=seed))
            for share in (0.01, 0.05, 0.1, 0.5, 1.0)
        ]
        assert all(few <= more for few, more in pairwise(nested))


def test_who_is_labelled_depends_on_the_split_and_on_the_seed_of_splits() -> None:
    probe = ProbeSpec(label_fraction=0.1)
    draws = {probe.labelled(PEOPLE, split=split, seed=seed) for split in (0, 1) for seed in (0, 1)}
    assert len(draws) == 4


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01])
def test_a_share_of_nobody_or_of_more_than_all_is_refused(share: float) -> None:
    with pytest.raises(ValidationError, match="label_fraction"):
        ProbeSpec(label_fraction=share)
