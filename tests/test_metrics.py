import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

from sleepsweep import metrics

NIGHTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=60)


@given(NIGHTS)
def test_metrics_equal_those_of_scikit_learn(night: list[tuple[int, int]]) -> None:
    reference, predicted = np.array(night).T
    matrix = metrics.confusion(reference, predicted)
    present = np.unique(reference)
    f1 = f1_score(reference, predicted, labels=present, average=None, zero_division=0)
    assert metrics.accuracy(matrix) == pytest.approx(accuracy_score(reference, predicted))
    assert metrics.macro_f1(matrix) == pytest.approx(np.mean(f1))
    assert metrics.stage_f1(matrix)[present] == pytest.approx(f1)
    if len({*reference, *predicted}) > 1:
        expected = cohen_kappa_score(reference, predicted)
        assert metrics.kappa(matrix) == pytest.approx(expected)


def test_a_stage_never_predicted_counts_zero_and_an_absent_one_not_at_all() -> None:
    matrix = metrics.confusion([0, 0, 1, 1], [0, 0, 0, 0])
    assert metrics.stage_f1(matrix).tolist()[:2] == [pytest.approx(2 / 3), 0.0]
    assert np.isnan(metrics.stage_f1(matrix)[2:]).all()
    assert metrics.macro_f1(matrix) == pytest.approx(1 / 3)


def test_an_empty_matrix_has_no_scores() -> None:
    scores = metrics.summary(np.zeros((5, 5), dtype=np.int64))
    assert np.isnan(list(scores.values())).all()
