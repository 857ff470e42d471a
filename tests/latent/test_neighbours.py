"""Neighbours of an embedding: in a plane, of the same subject, of a view."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn import manifold

from sleepsweep.latent import Embedded
from sleepsweep.latent.contrast import alignment, uniformity
from sleepsweep.latent.leakage import subject_accuracy, subject_chance
from sleepsweep.latent.neighbours import continuity, trustworthiness
from sleepsweep.latent.planes import Plane
from sleepsweep.latent.undefined import UndefinedError


def ranks(points: np.ndarray, i: int) -> dict[int, int]:
    distances = {j: float(((points[i] - points[j]) ** 2).sum()) for j in range(len(points))}
    del distances[i]
    return {j: n + 1 for n, j in enumerate(sorted(distances, key=distances.__getitem__))}


def slow_continuity(points: np.ndarray, plane: np.ndarray, k: int) -> float:
    n, excess = len(points), 0
    for i in range(n):
        above, below = ranks(points, i), ranks(plane, i)
        for j in above:
            if above[j] <= k and below[j] > k:
                excess += below[j] - k
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * excess


@pytest.mark.parametrize("k", [1, 5, 10])
def test_continuity_as_it_is_defined(embedded: Embedded, planes: dict[str, Plane], k: int) -> None:
    points, plane = embedded.features.astype(float), planes["pca"]
    assert continuity(points, plane, k) == pytest.approx(slow_continuity(points, plane, k))


@pytest.mark.parametrize("k", [1, 5, 10])
def test_trustworthiness_is_scikit_learns(
    embedded: Embedded, planes: dict[str, Plane], k: int
) -> None:
    points, plane = embedded.features.astype(float), planes["tsne"]
    expected = manifold.trustworthiness(points, plane, n_neighbors=k)
    assert trustworthiness(points, plane, k) == pytest.approx(expected)


def test_more_epochs_than_a_part_holds() -> None:
    points = np.random.default_rng(0).normal(size=(700, 5))
    expected = manifold.trustworthiness(points, points[:, :2], n_neighbors=10)
    assert trustworthiness(points, points[:, :2]) == pytest.approx(expected)


def test_a_plane_that_keeps_everything_and_one_that_tears() -> None:
    line = np.column_stack([np.arange(30.0) ** 1.01, np.zeros(30)])
    assert trustworthiness(line, line) == continuity(line, line) == 1
    # Two places folded onto each other make false neighbours, and tear few apart.
    folded = np.abs(line - line[15])
    assert trustworthiness(line, folded, 3) < continuity(line, folded, 3)
    assert continuity(folded, line, 3) < trustworthiness(folded, line, 3)


def test_ranks_by_hand() -> None:
    # Nearest to 0 in the plane is 3, which is its third and last in the embedding; the nearest of
    # the others are the same in both.
    points = np.array([[0.0], [1.0], [1.9], [2.7]])
    plane = np.array([[10.0], [1.0], [1.9], [2.7]])
    assert trustworthiness(points, plane, 1) == pytest.approx(1 - 2 / (4 * 1 * 4) * (3 - 1))
    # Nearest to 0 in the embedding is 1, which is its third in the plane.
    assert continuity(points, plane, 1) == pytest.approx(1 - 2 / (4 * 1 * 4) * (3 - 1))


def test_who_slept_as_it_is_defined(embedded: Embedded) -> None:
    right = 0
    for i in range(len(embedded)):
        order = ranks(embedded.features.astype(float), i)
        near = [embedded.subjects[j] for j, rank in order.items() if rank <= 10]
        named = max(sorted(set(near)), key=near.count)  # the first of those with most votes
        right += named == embedded.subjects[i]
    found = subject_accuracy(embedded.features.astype(float), embedded.subjects)
    assert found == pytest.approx(right / len(embedded))
    assert subject_chance(embedded.subjects) == pytest.approx(40 / 150)


def test_a_subject_is_told_where_it_is_planted_and_guessed_where_it_is_not() -> None:
    generator = np.random.default_rng(0)
    subjects = np.repeat(["a", "b", "c", "d"], 100)
    noise = generator.normal(size=(400, 6))
    assert abs(subject_accuracy(noise, subjects) - 0.25) < 0.1
    assert subject_accuracy(noise + 5 * np.eye(6)[np.repeat(range(4), 100)], subjects) > 0.95


def test_an_epoch_is_no_neighbour_of_itself_even_among_duplicates() -> None:
    points = np.repeat([[0.0, 0.0], [1.0, 0.0]], 11, axis=0)
    subjects = np.array((["a"] + ["b"] * 10) * 2)
    assert subject_accuracy(points, subjects) == pytest.approx(20 / 22)


def test_alignment_and_uniformity_as_they_are_defined(embedded: Embedded) -> None:
    def on_sphere(vector: np.ndarray) -> np.ndarray:
        return vector.astype(float) / np.sqrt((vector.astype(float) ** 2).sum())

    assert embedded.views is not None
    apart = [
        ((on_sphere(x) - on_sphere(y)) ** 2).sum() for x, y in zip(*embedded.views, strict=True)
    ]
    assert alignment(embedded.views) == pytest.approx(np.mean(apart))
    points = [on_sphere(x) for x in embedded.features]
    kernel = [
        np.exp(-2 * ((points[i] - points[j]) ** 2).sum())
        for i in range(len(points)) for j in range(len(points)) if i != j
    ]  # fmt: skip
    assert uniformity(embedded.features) == pytest.approx(np.log(np.mean(kernel)))


def test_uniformity_of_more_epochs_than_a_part_holds() -> None:
    points = np.random.default_rng(0).normal(size=(600, 4))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    assert uniformity(points) == pytest.approx(np.log(np.exp(-2 * pdist(points) ** 2).mean()))


def test_contrast_by_hand() -> None:
    one, two = np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([[0.0, 5.0], [0.0, 1.0]])
    assert alignment((one, two)) == pytest.approx((2 + 0) / 2)
    assert uniformity(one) == pytest.approx(-4)
    assert uniformity(np.array([[1.0, 0.0], [-7.0, 0.0]])) == pytest.approx(-8)
    assert uniformity(np.ones((5, 3))) == pytest.approx(0)


def test_what_has_no_value_says_why() -> None:
    few, same = np.random.default_rng(0).normal(size=(20, 2)), np.ones((30, 2))
    many = np.random.default_rng(0).normal(size=(30, 2))
    for kept in (trustworthiness, continuity):
        with pytest.raises(UndefinedError, match="20 epochs, and more than 20 are needed"):
            kept(few, few)
        for above, below in ((same, many), (many, same)):
            with pytest.raises(UndefinedError, match="all embeddings are the same"):
                kept(above, below)
    with pytest.raises(UndefinedError, match="more than 10"):
        subject_accuracy(few[:10], np.array(list("abcdefghij")))
    with pytest.raises(UndefinedError, match="one subject only"):
        subject_accuracy(few, np.array(["a"] * 20))
    with pytest.raises(UndefinedError, match="all embeddings are the same"):
        subject_accuracy(same, np.array(["a", "b"] * 15))
    with pytest.raises(UndefinedError, match="no augmented views"):
        alignment(None)
    with pytest.raises(UndefinedError, match="length 0"):
        uniformity(np.eye(3)[:, :2])
    with pytest.raises(UndefinedError, match="more than 1"):
        uniformity(np.ones((1, 3)))
