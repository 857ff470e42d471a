"""Sweeps with planted truth for the tests of the analysis."""

from collections.abc import Callable

import pytest
from threadpoolctl import threadpool_limits

from sleepsweep.results import ResultsTable
from sleepsweep_analysis.simulation import World, make_world, simulate, without_effects


@pytest.fixture(autouse=True)
def _one_thread():
    """As `analyse` does: small matrices lose time when BLAS shares them out."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


@pytest.fixture
def world() -> Callable[..., World]:
    """World of planted effects by seed; `effects=False` has none."""

    def make(seed: int, *, effects: bool = True) -> World:
        return make_world(seed) if effects else without_effects(make_world(seed))

    return make


@pytest.fixture
def sweep() -> Callable[..., ResultsTable]:
    """Simulator of one sweep in a world."""
    return simulate
