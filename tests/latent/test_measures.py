"""The table of measures."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from sleepsweep.latent import MEASURES, Embedded, measure
from sleepsweep.latent.clustering import k_means
from sleepsweep.latent.embedded import scaled
from sleepsweep.latent.planes import Plane


def value(table: pd.DataFrame, space: str, name: str) -> float:
    (found,) = table.query("space == @space and measure == @name")["value"]
    return float(found)


def notes(table: pd.DataFrame) -> dict[tuple[str, str], str]:
    rows = zip(table["space"], table["measure"], table["note"], strict=True)
    return {(space, name): note for space, name, note in rows if note}


def test_every_space_has_its_measures_and_nothing_lacks_a_value(table: pd.DataFrame) -> None:
    assert list(table.columns) == ["space", "measure", "value", "better", "note"]
    counts = table.groupby("space", sort=False)["measure"].nunique()
    assert counts.to_dict() == {"embedding": 10, "pca": 8, "tsne": 8}
    assert set(table["measure"]) == set(MEASURES)
    assert not table.duplicated(["space", "measure"]).any()
    assert np.isfinite(table["value"]).all()
    assert (table["note"] == "").all()
    assert set(table["better"]) == {"higher", "lower", ""}
    assert table.set_index("measure").loc["subject_accuracy", "better"] == "lower"


def test_values_are_those_of_the_functions(
    embedded: Embedded, planes: dict[str, Plane], table: pd.DataFrame
) -> None:
    for space, points in (("embedding", embedded.features), ("pca", planes["pca"])):
        clusters = k_means(scaled(points), 5)
        ari = metrics.adjusted_rand_score(embedded.stages, clusters)
        assert value(table, space, "ari") == pytest.approx(ari)
        apart = metrics.silhouette_score(points, embedded.stages)
        assert value(table, space, "silhouette") == pytest.approx(apart, abs=1e-6)


def test_the_table_is_repeatable_and_leaves_the_global_generator_alone(
    embedded: Embedded, planes: dict[str, Plane], table: pd.DataFrame
) -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr, index]
    pd.testing.assert_frame_equal(measure(embedded, planes), table)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # type: ignore[index]


def test_without_views_there_is_no_alignment(embedded: Embedded) -> None:
    bare = Embedded(embedded.features, embedded.stages, embedded.subjects)
    assert notes(measure(bare, {})) == {
        ("embedding", "alignment"): "no augmented views were embedded"
    }


def test_stages_that_are_told_apart_measure_better_in_every_way(embedded: Embedded) -> None:
    apart = embedded.features + 3 * np.eye(8)[embedded.stages]
    better = measure(Embedded(apart, embedded.stages, embedded.subjects), {})
    worse = measure(Embedded(embedded.features, embedded.stages[::-1][np.argsort(
        embedded.features[:, 0])], embedded.subjects), {})  # fmt: skip
    for name in ("ari", "ami", "purity", "entropy", "silhouette", "davies_bouldin"):
        sign = 1 if MEASURES[name].better == "higher" else -1
        gain = value(better, "embedding", name) - value(worse, "embedding", name)
        assert sign * gain > 0, name


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 6, 11, 21])
def test_few_epochs_have_values_or_reasons(embedded: Embedded, epochs: int) -> None:
    few = Embedded(
        *(part[:epochs] for part in (embedded.features, embedded.stages, embedded.subjects))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = measure(few, {"pca": few.features[:, :2]})
    assert (table["value"].isna() == (table["note"] != "")).all()
    if epochs < 5:
        assert notes(table)["pca", "ari"] == f"there are fewer epochs ({epochs}) than clusters (5)"


def test_one_stage_one_subject_and_one_place(embedded: Embedded) -> None:
    count = len(embedded)
    dull = Embedded(embedded.features, np.zeros(count), np.array(["a"] * count), embedded.views)
    found = notes(measure(dull, {}))
    assert set(found.values()) == {"there is one stage only", "there is one subject only"}
    assert len(found) == 7
    one = Embedded(np.ones((count, 4)), embedded.stages, embedded.subjects)
    table = measure(one, {"pca": np.zeros((count, 2))})
    assert set(notes(table).values()) == {
        "all embeddings are the same", "no augmented views were embedded",
    }  # fmt: skip
    assert value(table, "embedding", "uniformity") == pytest.approx(0)
    assert table.query("space == 'pca'")["value"].isna().all()


def test_fewer_distinct_embeddings_than_clusters(embedded: Embedded) -> None:
    corners = np.eye(3)[embedded.stages % 3]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = measure(Embedded(corners, embedded.stages, embedded.subjects), {})
    assert value(table, "embedding", "purity") == pytest.approx(3 / 5)


@pytest.mark.parametrize(
    ("planes", "says"),
    [
        ({"pca": np.zeros((3, 2))}, r"plane pca: shape \(3, 2\)"),
        ({"pca": np.zeros((150, 3))}, "plane pca: shape"),
        ({"pca": np.full((150, 2), np.nan)}, "finite"),
        ({"embedding": np.zeros((150, 2))}, "the space itself"),
    ],
)
def test_planes_of_other_epochs_are_refused(embedded: Embedded, planes: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        measure(embedded, planes)


def test_one_cluster_is_no_clustering(embedded: Embedded) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        measure(embedded, {}, n_clusters=1)
