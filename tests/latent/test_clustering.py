"""Clusters against stages, and how far stages lie apart."""

from collections import Counter
from math import log2

import numpy as np
import pytest
from sklearn import metrics

from sleepsweep.latent import Embedded
from sleepsweep.latent.clustering import (
    adjusted_mutual_information,
    adjusted_rand,
    average_entropy,
    k_means,
    purity,
)
from sleepsweep.latent.separation import davies_bouldin, silhouette
from sleepsweep.latent.undefined import UndefinedError

STAGES = np.array([0, 0, 0, 1, 1, 2], dtype=np.int8)
CLUSTERS = np.array([0, 0, 1, 1, 1, 1])


def test_purity_and_entropy_by_hand() -> None:
    assert purity(STAGES, CLUSTERS) == pytest.approx((2 + 2) / 6)
    # cluster 0 is of one stage; cluster 1 has shares 1/4, 1/2, 1/4: 1.5 bits
    assert average_entropy(STAGES, CLUSTERS) == pytest.approx(4 / 6 * 1.5)
    assert average_entropy(STAGES, STAGES.astype(int)) == 0
    assert purity(STAGES, STAGES.astype(int)) == 1


@pytest.mark.parametrize("seed", range(5))
def test_purity_and_entropy_as_they_are_defined(seed: int) -> None:
    generator = np.random.default_rng(seed)
    stages = generator.integers(0, 5, 60).astype(np.int8)
    clusters = generator.integers(0, 4, 60)
    members = [Counter(stages[clusters == cluster].tolist()) for cluster in set(clusters.tolist())]
    right = sum(max(counts.values()) for counts in members)
    bits = 0.0
    for counts in members:
        size = sum(counts.values())
        bits += size / 60 * -sum(n / size * log2(n / size) for n in counts.values())
    assert purity(stages, clusters) == pytest.approx(right / 60)
    assert average_entropy(stages, clusters) == pytest.approx(bits)


def test_the_others_are_scikit_learns(embedded: Embedded) -> None:
    points, stages = embedded.features.astype(float), embedded.stages
    clusters = k_means(points, 5)
    assert adjusted_rand(stages, clusters) == metrics.adjusted_rand_score(stages, clusters)
    assert adjusted_mutual_information(stages, clusters) == pytest.approx(
        metrics.adjusted_mutual_info_score(stages, clusters)
    )
    assert silhouette(points, stages) == pytest.approx(metrics.silhouette_score(points, stages))
    assert davies_bouldin(points, stages) == metrics.davies_bouldin_score(points, stages)


def test_a_rand_index_by_hand() -> None:
    # pairs together in both: 2; in stages 4, in clusters 7, of 15: expected 28 / 15
    assert adjusted_rand(STAGES, CLUSTERS) == pytest.approx((2 - 28 / 15) / (5.5 - 28 / 15))


def test_k_means_finds_what_lies_apart() -> None:
    centres = 10 * np.eye(5)
    stages = np.tile(np.arange(5), 12)
    points = centres[stages] + np.random.default_rng(0).normal(size=(60, 5))
    assert adjusted_rand(stages.astype(np.int8), k_means(points, 5)) == 1
    np.testing.assert_array_equal(k_means(points, 5), k_means(points, 5))


def test_what_has_no_value_says_why() -> None:
    one_stage, points = np.zeros(6, dtype=np.int8), np.random.default_rng(0).normal(size=(6, 2))
    for measure in (adjusted_rand, adjusted_mutual_information, purity, average_entropy):
        with pytest.raises(UndefinedError, match="one stage only"):
            measure(one_stage, CLUSTERS)
    for separated in (silhouette, davies_bouldin):
        with pytest.raises(UndefinedError, match="one stage only"):
            separated(points, one_stage)
        with pytest.raises(UndefinedError, match="all embeddings are the same"):
            separated(np.ones((6, 2)), STAGES)
        with pytest.raises(UndefinedError, match="every stage has one epoch"):
            separated(points[:3], np.arange(3, dtype=np.int8))
    with pytest.raises(UndefinedError, match=r"fewer epochs \(6\) than clusters \(7\)"):
        k_means(points, 7)
    with pytest.raises(UndefinedError, match="all embeddings are the same"):
        k_means(np.ones((6, 2)), 2)
