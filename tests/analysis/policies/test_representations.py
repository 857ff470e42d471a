"""Neighbours and planes against slow derivations, and files that are not what they should be."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from sleepsweep.results import TableError
from sleepsweep_analysis import analyse
from sleepsweep_analysis.policies.representations import represent

N, PEOPLE = 300, 5


@pytest.fixture
def arrays():
    """Embeddings that hold the stage well and the subject a little."""
    rng = np.random.default_rng(0)
    stage, subject = rng.integers(0, 5, N), rng.integers(0, PEOPLE, N)
    centres, marks = 3 * rng.normal(size=(5, 8)), 0.5 * rng.normal(size=(PEOPLE, 8))
    embedding = centres[stage] + marks[subject] + rng.normal(size=(N, 8))
    return {
        "embedding": embedding.astype(np.float32), "stage": stage.astype(np.int8),
        "subject": np.array([f"s{i}" for i in subject]),
    }  # fmt: skip


def test_stages_are_asked_of_other_subjects(arrays):
    found = represent(**arrays)
    hits = 0
    for person in np.unique(arrays["subject"]):
        mine = arrays["subject"] == person
        others = KNeighborsClassifier(10).fit(arrays["embedding"][~mine], arrays["stage"][~mine])
        hits += (others.predict(arrays["embedding"][mine]) == arrays["stage"][mine]).sum()
    assert found.knn_stage == pytest.approx(hits / N)
    assert found.knn_stage > 0.8


def test_subjects_are_asked_of_every_other_epoch(arrays):
    found = represent(**arrays)
    X, y = arrays["embedding"], arrays["subject"]
    hits = 0
    for i in range(N):
        rest = np.arange(N) != i
        hits += KNeighborsClassifier(10).fit(X[rest], y[rest]).predict(X[[i]])[0] == y[i]
    assert found.knn_subject == pytest.approx(hits / N)
    assert found.chance_subject == max((y == person).mean() for person in np.unique(y))
    assert np.isnan(represent(**{**arrays, "subject": np.full(N, "s0")}).knn_stage)


def test_the_plane_is_that_of_the_principal_components(arrays):
    slow = PCA(2).fit_transform(arrays["embedding"].astype(float))
    np.testing.assert_allclose(np.abs(represent(**arrays).pca), np.abs(slow), atol=1e-6)


def test_files_beside_the_tables_are_read(world, sweep, arrays, tmp_path):
    table = sweep(world(1), trials=40, blocks=3, seed=1, subjects=4)
    assert analyse(table).representations == {}
    analysis = analyse(replace(table, embeddings=tmp_path))
    assert set(analysis.compared) == {"best", "baseline"}
    np.savez(
        tmp_path / f"{analysis.compared['best']}.npz", umap=arrays["embedding"][:, :2], **arrays
    )
    found = analyse(replace(table, embeddings=tmp_path)).representations
    assert list(found) == ["best"]
    assert found["best"].umap.shape == (N, 2)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_damaged_file_is_named(world, sweep, arrays, tmp_path, content):
    table = replace(sweep(world(1), trials=40, blocks=3, seed=1, subjects=4), embeddings=tmp_path)
    path = tmp_path / f"{analyse(table).compared['best']}.npz"
    if content is None:
        np.savez(path, embedding=np.array([{"an": "object"}], dtype=object), allow_pickle=True)
    else:
        path.write_bytes(content)
    with pytest.raises(TableError, match=path.name):
        _ = analyse(table).representations
