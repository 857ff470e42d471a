"""Planes through a latent space."""

import warnings

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from sleepsweep.errors import UserError
from sleepsweep.latent import Embedded, project
from sleepsweep.latent.planes import KINDS, Plane

TINY = [(1, 4), (2, 4), (3, 4), (4, 4), (5, 1), (6, 2), (12, 1), (20, 3)]


def test_principal_components_are_those_of_the_covariance(
    embedded: Embedded, planes: dict[str, Plane]
) -> None:
    centred = embedded.features - embedded.features.mean(axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(np.cov(centred.T))
    expected = centred @ vectors[:, [-1, -2]] / np.abs(centred).max()
    for found, component in zip(planes["pca"].T, expected.T, strict=True):
        np.testing.assert_allclose(np.abs(found), np.abs(component), atol=1e-6)
    assert values[-1] > values[-2]


def test_planes_are_repeatable_and_keep_neighbours(
    embedded: Embedded, planes: dict[str, Plane]
) -> None:
    for kind in ("pca", "tsne"):
        again = project(embedded.features, [kind])[kind]
        np.testing.assert_array_equal(again, planes[kind])
        assert again.shape == (len(embedded), 2)
    assert trustworthiness(embedded.features, planes["tsne"]) > 0.85


def test_umap_is_repeatable_and_quiet_however_few_the_epochs(
    embedded: Embedded, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two = (project(embedded.features, ["umap"])["umap"] for _ in range(2))
        np.testing.assert_array_equal(one, two)
        assert trustworthiness(embedded.features, one) > 0.8
        for shape in TINY:
            plane = project(np.random.default_rng(1).normal(size=shape), ["umap"])["umap"]
            assert plane.shape == (shape[0], 2)
            assert np.isfinite(plane).all()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shape", TINY)
@pytest.mark.parametrize("kind", ["pca", "tsne"])
def test_few_epochs_and_dimensions_have_planes(kind: str, shape: tuple[int, int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plane = project(np.random.default_rng(1).normal(size=shape), [kind])[kind]
    assert plane.shape == (shape[0], 2)
    assert np.isfinite(plane).all()


def test_embeddings_in_one_place_are_so_in_every_plane() -> None:
    planes = project(np.full((9, 3), 5.0), ["umap", "tsne", "pca"])
    assert list(planes) == ["umap", "tsne", "pca"]
    assert not any(plane.any() for plane in planes.values())


def test_duplicates_among_embeddings() -> None:
    features = np.repeat(np.random.default_rng(0).normal(size=(3, 4)), 10, axis=0)
    assert np.isfinite(project(features, ["tsne"])["tsne"]).all()


@pytest.mark.parametrize("scale", [1e-20, 1e18])
def test_the_scale_of_an_embedding_does_not_matter(
    embedded: Embedded, planes: dict[str, Plane], scale: float
) -> None:
    made = project(scale * embedded.features.astype(np.float64), ["pca"])["pca"]
    np.testing.assert_allclose(made, planes["pca"], atol=1e-6)


def test_a_plane_that_is_not_known() -> None:
    with pytest.raises(UserError, match=rf"'lda'.*{', '.join(KINDS)}"):
        project(np.eye(3), ["pca", "lda"])  # type: ignore[list-item]
