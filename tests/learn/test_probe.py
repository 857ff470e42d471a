from itertools import pairwise

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.datasets import make_classification

from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.learn.probe import ProbeSpec, embed


def test_the_probe_reads_what_is_linearly_there_and_is_repeatable() -> None:
    features, stages = make_classification(
        400, n_features=12, n_informative=8, n_classes=4, class_sep=3.0, random_state=0
    )
    features, stages = features.astype(np.float32), stages.astype(np.int8)
    predicted = ProbeSpec().predict(features[:300], stages[:300], features[300:])
    assert np.mean(predicted == stages[300:]) > 0.8
    again = ProbeSpec().predict(features[:300], stages[:300], features[300:])
    assert np.array_equal(predicted, again)


def test_one_stage_only_is_predicted_everywhere() -> None:
    features = np.zeros((5, 3), dtype=np.float32)
    predicted = ProbeSpec().predict(features, np.full(5, 2, dtype=np.int8), features[:2])
    assert predicted.tolist() == [2, 2]


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
