"""Holm, verdicts and rank probabilities."""

import numpy as np
import pytest

from sleepsweep_analysis.estimates.ranking import holm, p_best, verdict


def test_holm_against_the_definition():
    p = np.array([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(holm(p), [0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.9])).max() <= 1.0


@pytest.mark.parametrize(
    ("low", "high", "p", "expected"),
    [
        (0.6, 1.8, 0.001, "better"),
        (-1.8, -0.6, 0.001, "worse"),
        (-0.4, 0.4, 1.0, "practically equal"),
        (0.1, 0.4, 0.001, "practically equal"),
        (0.1, 1.8, 0.2, "cannot tell"),
        (-0.2, 1.8, 0.01, "cannot tell"),
        (-0.6, 0.4, 1.0, "cannot tell"),
    ],
)
def test_a_verdict_never_says_more_than_its_interval(low, high, p, expected):
    assert verdict(low, high, p) == expected


def test_p_best_counts_the_largest():
    draws = np.array([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [0.0, 5.0]])
    np.testing.assert_allclose(p_best(draws), [0.25, 0.75])
