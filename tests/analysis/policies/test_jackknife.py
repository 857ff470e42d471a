"""The jackknife over subjects against brute force."""

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import f1_score

from sleepsweep_analysis.policies.jackknife import jackknife


@pytest.fixture
def people() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {f"s{n}": rng.integers(1, 60, (5, 5)) + 90 * np.eye(5, dtype=int) for n in range(9)}


def _labels(matrices: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    pooled = sum(matrices)
    pairs = [(r, p) for r in range(5) for p in range(5) for _ in range(pooled[r, p])]
    return tuple(np.array(pairs).T)


def _brute(people: dict[str, np.ndarray]) -> tuple[float, float]:
    """Value and half-width from label vectors, one subject left out at a time."""

    def score(matrices):
        reference, predicted = _labels(matrices)
        return 100 * f1_score(reference, predicted, average="macro", labels=np.unique(reference))

    names, n = list(people), len(people)
    left = np.array([score([people[k] for k in names if k != name]) for name in names])
    se = np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
    return score(list(people.values())), t.ppf(0.975, n - 1) * se


def test_equals_brute_force(people):
    value, half = _brute(people)
    found = jackknife(people)
    np.testing.assert_allclose(
        [found.value, found.low, found.high], [value, value - half, value + half]
    )


def test_a_subject_without_a_stage(people):
    people["s3"][3] = 0
    people["s5"] = np.zeros((5, 5), dtype=int)
    value, half = _brute(people)
    found = jackknife(people)
    np.testing.assert_allclose([found.value, found.high - found.low], [value, 2 * half])


def test_order_of_subjects_is_irrelevant(people):
    backwards = dict(reversed(people.items()))
    np.testing.assert_allclose(jackknife(backwards).low, jackknife(people).low)


def test_too_few_subjects(people):
    assert np.isnan(jackknife({}).value)
    one = jackknife({"s0": people["s0"]})
    assert np.isfinite(one.value)
    assert np.isnan(one.low)
