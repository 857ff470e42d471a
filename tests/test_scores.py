"""Tables and intervals of a staging, beside slow counts and the formulas written out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

from sleepsweep.metrics import STAGES
from sleepsweep.scores import MEASURES, OF_SUBJECTS, Staged

Night = list[tuple[int, int]]
NIGHTS = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12),
    min_size=1, max_size=5,
)  # fmt: skip


def macro(reference: list[int], predicted: list[int]) -> float:
    present = sorted(set(reference))
    return float(f1_score(reference, predicted, labels=present, average="macro", zero_division=0))


SLOW: dict[str, Callable[[list[int], list[int]], float]] = {
    "accuracy": accuracy_score, "macro_f1": macro, "kappa": cohen_kappa_score
}  # fmt: skip


def staged(*nights: Night) -> Staged:
    """Return the staging of subjects s0, s1, …, each with epochs (reference, predicted)."""
    rows = [
        (f"s{number}", 1, place, reference)
        for number, night in enumerate(nights)
        for place, (reference, _) in enumerate(night)
    ]
    labels = pd.DataFrame(rows, columns=["subject", "night", "position", "stage"])
    return Staged(labels, np.array([told for night in nights for _, told in night], dtype=np.int8))


def drawn(subjects: int, epochs: int = 60, hits: float = 0.7) -> list[Night]:
    """Return nights of which each subject's have another share of hits."""
    draw = np.random.default_rng(3)
    nights = []
    for _ in range(subjects):
        right = draw.random(epochs) < np.clip(hits + draw.normal(0, 0.1), 0, 1)
        reference = draw.integers(0, 5, epochs)
        told = np.where(right, reference, draw.integers(0, 5, epochs))
        nights.append(list(zip(reference.tolist(), told.tolist(), strict=True)))
    return nights


def pooled(nights: list[Night]) -> tuple[list[int], list[int]]:
    return [pair[0] for night in nights for pair in night], [
        p[1] for night in nights for p in night
    ]


@settings(max_examples=25, deadline=None)
@given(NIGHTS)
def test_tables_agree_with_a_slow_count(nights: list[Night]) -> None:
    found = staged(*nights)
    reference, predicted = pooled(nights)
    by_stage = found.by_stage().set_index("stage")
    for place, stage in enumerate(STAGES):
        scored, told = reference.count(place), predicted.count(place)
        hits = sum(pair == (place, place) for night in nights for pair in night)
        assert by_stage.loc[stage, "epochs"] == scored
        shares = {"precision": told, "recall": scored}
        for name, whole in shares.items():
            share = hits / whole if whole else np.nan
            assert by_stage.loc[stage, name] == pytest.approx(share, nan_ok=True)
        f1 = 2 * hits / (scored + told) if scored else np.nan
        assert by_stage.loc[stage, "f1"] == pytest.approx(f1, nan_ok=True)
    overall = found.overall().set_index("measure")
    assert overall.loc["accuracy", "value"] == pytest.approx(accuracy_score(reference, predicted))
    assert overall.loc["macro_f1", "value"] == pytest.approx(macro(reference, predicted))
    assert set(overall["subjects"]) == {len(nights)}
    assert set(overall["epochs"]) == {len(reference)}


@settings(max_examples=25, deadline=None)
@given(NIGHTS)
def test_the_cells_of_the_subjects_are_their_epochs(nights: list[Night]) -> None:
    table = staged(*nights).by_subject().set_index("subject")
    assert list(table.index) == [f"s{number}" for number in range(len(nights))]
    for number, night in enumerate(nights):
        assert table.loc[f"s{number}", "epochs"] == len(night)
        for i, one in enumerate(STAGES):
            for j, other in enumerate(STAGES):
                assert table.loc[f"s{number}", f"{one}_as_{other}"] == night.count((i, j))


def test_an_interval_is_that_of_leaving_out_each_subject() -> None:
    nights = drawn(6)
    found = staged(*nights).overall().set_index("measure")
    count = len(nights)
    for name in MEASURES:
        left_out = [SLOW[name](*pooled(nights[:i] + nights[i + 1 :])) for i in range(count)]
        mean = sum(left_out) / count
        error = ((count - 1) / count * sum((value - mean) ** 2 for value in left_out)) ** 0.5
        half = student.ppf(0.975, count - 1) * error
        value = SLOW[name](*pooled(nights))
        assert found.loc[name, "value"] == pytest.approx(value)
        assert found.loc[name, "low"] == pytest.approx(value - half)
        assert found.loc[name, "high"] == pytest.approx(value + half)


def test_the_mean_of_subjects_has_the_interval_of_a_mean() -> None:
    nights = drawn(5)
    each = [macro(*pooled([night])) for night in nights]
    row = staged(*nights).overall().set_index("measure").loc[OF_SUBJECTS]
    half = student.ppf(0.975, 4) * np.std(each, ddof=1) / 5**0.5
    assert row["value"] == pytest.approx(np.mean(each))
    assert [row["low"], row["high"]] == pytest.approx([row["value"] - half, row["value"] + half])


def test_of_one_subject_there_is_no_interval() -> None:
    found = staged(*drawn(1))
    for table, value in ((found.overall(), "value"), (found.by_stage(), "f1")):
        assert table[value].notna().all()
        assert table[["low", "high"]].isna().all(axis=None)


def test_a_stage_that_nobody_scored_has_no_f1_and_one_never_predicted_has_zero() -> None:
    found = staged([(0, 0), (1, 0), (2, 4)], [(0, 0), (1, 2), (2, 2)])
    by_stage = found.by_stage().set_index("stage")
    assert by_stage.loc[["N3", "R"], "f1"].isna().all()
    assert by_stage.loc["N1", "f1"] == 0
    assert np.isnan(by_stage.loc["N1", "precision"])
    assert by_stage.loc["N1", "recall"] == 0
    values = found.key_values()
    assert values["f1.N1"] == 0
    assert not {"f1.N3", "f1.R"} & set(values)
    assert {*MEASURES, OF_SUBJECTS, "f1.W", "f1.N2"} <= set(values)


def test_a_stage_that_one_subject_alone_has_still_has_an_f1() -> None:
    row = staged([(0, 0), (1, 1)], [(0, 0)], [(0, 0)]).by_stage().set_index("stage").loc["N1"]
    assert row["f1"] == 1
    assert np.isnan(row["low"]), "without that subject there is no F1 to be spread"


@settings(max_examples=25, deadline=None)
@given(NIGHTS)
def test_bounds_are_values_that_the_measure_can_have(nights: list[Night]) -> None:
    found = staged(*nights)
    overall = found.overall().set_index("measure")
    for table in (overall, found.by_stage()):
        told = table[table["low"].notna()]
        assert (told["low"] <= told["high"]).all()
        assert (told["high"] <= 1).all()
        assert (told["low"] >= -1).all()
    assert not (overall.drop(index="kappa")["low"] < 0).any()
    assert not (found.by_stage()["low"] < 0).any()


def test_a_staging_worse_than_chance_has_a_kappa_below_zero() -> None:
    nights: list[Night] = [[(0, 1), (1, 0)] * 5, [(0, 1), (1, 0)] * 4 + [(1, 1)]]
    row = staged(*nights).overall().set_index("measure").loc["kappa"]
    assert -1 <= row["low"] < row["value"] < 0


def test_predictions_name_the_stages_of_every_epoch() -> None:
    table = staged([(0, 4), (3, 3)], [(1, 2)]).predictions()
    assert table["reference"].tolist() == ["W", "N3", "N1"]
    assert table["predicted"].tolist() == ["R", "N3", "N2"]
    assert table[["subject", "position"]].to_numpy().tolist() == [["s0", 0], ["s0", 1], ["s1", 0]]
