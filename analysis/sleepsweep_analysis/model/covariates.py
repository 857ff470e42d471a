"""Covariates: scalars of the encoder, of pretraining and of the probe that a sweep searched too."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.comparable import Comparable, settings_of

__all__ = ["Covariate", "covariates_of"]

Matrix = NDArray[np.float64]

WIDE = 10.0
"""A positive number whose largest value is that many times its smallest is read as its log."""


@dataclass(frozen=True)
class Covariate:
    """A searched scalar: a number (`levels` empty) or a choice between `levels`.

    `name` is the path without ``hp.``; `low` and `high` are the ends of a number's range, taken as
    logarithms where `log`.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    levels: tuple[str, ...] = ()

    def columns(self, values: pd.Series) -> Matrix:
        """Columns by which effects may differ: z in [−½, ½], or one-hot of the levels; (n, m)."""
        if self.levels:
            text = values.astype(str).to_numpy()
            return np.asarray(text[:, None] == np.array(self.levels)[None, :], dtype=float)
        z = (self._scaled(values.to_numpy(dtype=float)) - self.low) / (self.high - self.low) - 0.5
        return np.where(np.isfinite(z), z, 0.0)[:, None]

    def offsets(self, values: pd.Series) -> Matrix:
        """Fixed columns of the main effect: z and z², or all levels but the first."""
        columns = self.columns(values)
        return columns[:, 1:] if self.levels else np.hstack([columns, columns**2])

    def points(self) -> tuple[tuple[str, Matrix, Matrix], ...]:
        """The ends (and middle) of a number, or the levels: text, `columns` and `offsets` there."""
        if self.levels:
            eye = np.eye(len(self.levels))
            return tuple((level, eye[i], eye[i, 1:]) for i, level in enumerate(self.levels))
        places = ((self.low, -0.5), (0.5 * (self.low + self.high), 0.0), (self.high, 0.5))
        return tuple(
            (f"{self._unscaled(value):.3g}", np.array([z]), np.array([z, z**2]))
            for value, z in places
        )

    def average(self) -> Matrix:
        """`columns` averaged over the range, or over the levels."""
        return np.full(len(self.levels), 1 / len(self.levels)) if self.levels else np.zeros(1)

    def _scaled(self, values: Matrix) -> Matrix:
        return np.log(values) if self.log else values

    def _unscaled(self, value: float) -> float:
        return float(np.exp(value)) if self.log else value


def covariates_of(chosen: Comparable) -> tuple[Covariate, ...]:
    """Every ``hp.PATH`` that varies between trials and is no parameter of an augmentation."""
    return tuple(
        _covariate(column.removeprefix("hp."), chosen.rows[column])
        for column in settings_of(chosen.rows, chosen.pool)
        if chosen.rows[column].dropna().nunique() > 1
    )


def _covariate(name: str, values: pd.Series) -> Covariate:
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if not numeric:
        return Covariate(name, levels=tuple(sorted(values.dropna().astype(str).unique())))
    low, high = float(values.min()), float(values.max())
    if low > 0 and high / low >= WIDE:
        return Covariate(name, float(np.log(low)), float(np.log(high)), log=True)
    return Covariate(name, low, high)
