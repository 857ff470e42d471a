"""A space on made-up people: no recordings, so that identities are the same on any machine."""

from collections.abc import Callable
from typing import Any

import pytest

from sleepsweep.space import Space, make_blocks
from sleepsweep.spec.sweepspec import SweepSpec


@pytest.fixture
def space_of(sweep: Callable[..., SweepSpec]) -> Callable[..., Space]:
    """Return the tiny space with these designs, on some blocks; nothing is drawn besides."""

    def make(*designs: Any, blocks: int = 2, **augmentations: Any) -> Space:
        spec = sweep(
            search={"trials": 0, "designs": list(designs), "baselines": False},
            split={"blocks": blocks},
            augmentations=augmentations,
        )
        nights = {f"s{number}": 1 for number in range(8)}
        return Space(spec, make_blocks(spec, nights, ("s7",)), "data")

    return make
