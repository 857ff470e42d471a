"""Colours and symbols of labels: stages have fixed ones, subjects those that tell most apart."""

from collections.abc import Sequence
from typing import NamedTuple

from sleepsweep.metrics import STAGES
from sleepsweep.pictures import STAGE_COLOURS

DISTINCT = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A5195", "#8C6D31")
"""Okabe & Ito 2008, and two more."""

SYMBOLS = ("circle", "square", "triangle-up")
MOST = len(DISTINCT) * len(SYMBOLS)
"""Of more labels, two look the same."""


class Look(NamedTuple):
    """A colour, and a symbol by the name that plotly has for it."""

    colour: str
    symbol: str


def order_of(labels: Sequence[str]) -> list[str]:
    """Return the distinct labels: stages from W to R, others sorted."""
    present = set(labels)
    return (
        [name for name in STAGES if name in present] if present <= set(STAGES) else sorted(present)
    )


def looks_of(order: Sequence[str]) -> dict[str, Look]:
    """Return the look of each of the distinct labels in `order`."""
    if set(order) <= set(STAGES):
        return {name: Look(STAGE_COLOURS[name], SYMBOLS[0]) for name in order}
    return {
        name: Look(DISTINCT[n % len(DISTINCT)], SYMBOLS[n // len(DISTINCT) % len(SYMBOLS)])
        for n, name in enumerate(order)
    }
