"""What turns an augmentation up or down: its severity, its p, or a physical parameter."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.comparable import Comparable

__all__ = ["Dial", "bend", "dials_of"]

Matrix = NDArray[np.float64]

FLAT = 1.0 / 12.0
"""Mean of t² for t uniform on [−½, ½]."""


@dataclass(frozen=True)
class Dial:
    """A quantity of one augmentation that was varied, over the range [`low`, `high`] that was run.

    `column` is the table's. The model sees t = (value − middle)/(high − low), in [−½, ½]: its terms
    then average to nothing over the range, and effects are effects at a random setting.
    """

    augmentation: str
    quantity: str
    column: str
    low: float
    high: float

    def position(self, values: Matrix) -> Matrix:
        """t of each value; 0 where the augmentation is absent (NaN)."""
        t = (values - 0.5 * (self.low + self.high)) / (self.high - self.low)
        return np.where(np.isfinite(t), t, 0.0)


def bend(t: Matrix) -> Matrix:
    """The quadratic term, t² − 1/12, which averages to 0 over the range."""
    return np.asarray(t**2 - FLAT)


def dials_of(chosen: Comparable) -> tuple[Dial, ...]:
    """Every dial that was run at three or more settings, in pool order."""
    found = [
        _dial(chosen.rows, name, quantity, column)
        for name in chosen.real
        for quantity, column in _columns(chosen.rows, name)
    ]
    return tuple(dial for dial in found if dial is not None)


def _columns(rows: pd.DataFrame, name: str) -> list[tuple[str, str]]:
    """Quantity and column of everything recorded of one augmentation."""
    prefix = f"hp.{name}."
    own = [(str(c).removeprefix(prefix), str(c)) for c in rows if str(c).startswith(prefix)]
    dials = [(quantity, f"{quantity}.{name}") for quantity in ("severity", "p")]
    return [pair for pair in dials + own if pair[1] in rows]


def _dial(rows: pd.DataFrame, name: str, quantity: str, column: str) -> Dial | None:
    values = pd.to_numeric(rows.loc[rows[f"on.{name}"], column], errors="coerce").dropna()
    if values.nunique() < 3:
        return None
    return Dial(name, quantity, column, float(values.min()), float(values.max()))
