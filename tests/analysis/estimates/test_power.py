"""Power of paired blocks against simulation and against the published sample sizes."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from sleepsweep_analysis.estimates.power import blocks_needed, power


@pytest.mark.parametrize(("effect", "sd", "blocks"), [(1.0, 1.0, 5), (0.5, 0.9, 12), (0.0, 1.0, 8)])
def test_power_equals_that_of_simulated_tests(effect, sd, blocks):
    rng = np.random.default_rng(0)
    differences = rng.normal(effect, sd, (20_000, blocks))
    found = (ttest_1samp(differences, 0, axis=1).pvalue < 0.05).mean()
    assert power(effect, sd, blocks) == pytest.approx(found, abs=0.01)


def test_blocks_needed_is_the_smallest_number_that_is_enough():
    for effect, sd in ((1.0, 0.9), (0.5, 0.9), (2.0, 0.9)):
        need = int(blocks_needed(effect, sd))
        assert power(effect, sd, need) >= 0.8 > power(effect, sd, need - 1)


def test_one_point_needs_about_nine_paired_blocks_at_the_published_noise():
    """Run sd 0.64 within a split and 0.22 between repeats of a run."""
    assert 7 <= blocks_needed(1.0, np.sqrt(2) * np.hypot(0.64, 0.22)) <= 11


def test_no_number_beyond_reason():
    assert blocks_needed(0.001, 1.0) == np.inf
    assert np.isnan(power(1.0, 1.0, 1))
