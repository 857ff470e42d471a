"""From the text of a cell to a value; what cannot be read is named with its row and column.

Cells are data: nothing in them is run, and text stays text.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sleepsweep.results import TableError

__all__ = ["Cells"]

TRUE, FALSE = ("1", "1.0", "true", "yes", "on"), ("0", "0.0", "false", "no", "off", "")
MISSING = ("", "nan", "na", "null")
NONE = ("", "none")
LARGEST = 2**63 - 1


class Cells:
    """The cells of a table, all text, by column; `path` is named in errors."""

    def __init__(self, frame: pd.DataFrame, path: Path) -> None:
        self.frame = frame
        self.path = path

    def __contains__(self, column: str) -> bool:
        return column in self.frame

    def __len__(self) -> int:
        return len(self.frame)

    def named(self, prefix: str) -> list[str]:
        """The columns that start with `prefix`, in the order of the file."""
        found = [str(name) for name in self.frame if str(name).startswith(prefix)]
        return [name for name in found if name != prefix]

    def text(self, column: str, allowed: tuple[str, ...] = ()) -> list[str]:
        """Text of each row; `allowed` lists the words a cell may hold, if it is not empty."""
        return self._each(column, lambda cell: _word(cell, allowed))

    def numbers(self, column: str) -> list[float]:
        """A finite number a row, NaN where it is missing."""
        return self._each(column, _number)

    def counts(self, column: str) -> list[int | None]:
        """A whole number from 0 a row, None where it is missing."""
        return self._each(column, _count)

    def shares(self, column: str) -> list[float]:
        """A number in 0–1 a row, NaN where it is missing."""
        return self._each(column, _share)

    def switches(self, column: str) -> list[bool]:
        """Whether a row is on: 1, true, yes, or 0, false, no, empty."""
        return self._each(column, _switch)

    def scores(self, column: str) -> tuple[list[float], bool]:
        """Scores in 0–1, NaN where missing, and whether the column held points.

        Any value over 1 means that all of the column are points (0–100).
        """
        values = np.array(self.numbers(column), dtype=float)
        points = bool((values > 1).any())
        scaled = values / 100 if points else values
        for row, value in enumerate(scaled):
            if value > 1 or value < (-1 if column == "kappa" else 0):
                raise self.error(row, column, f"{values[row]:g} is neither in 0–1 nor in 0–100")
        return scaled.tolist(), points

    def names(self, column: str) -> list[tuple[str, ...]]:
        """The augmentations of each row's policy."""
        return self._each(column, _names)

    def lists(self, column: str, policies: Sequence[tuple[str, ...]]) -> list[tuple[float, ...]]:
        """A number in 0–1 for each augmentation of each policy; NaN where a cell is empty."""
        rows = self._each(column, _share_list)
        for row, (values, names) in enumerate(zip(rows, policies, strict=True)):
            if values and len(values) != len(names):
                problem = f"{len(values)} values for {len(names)} augmentations"
                raise self.error(row, column, problem)
        nothing = float("nan")
        return [v or (nothing,) * len(n) for v, n in zip(rows, policies, strict=True)]

    def error(self, row: int, column: str, problem: str) -> TableError:
        """The error that names a cell; rows are counted from 1, below the header."""
        return TableError(f"{self.path}: row {row + 1}, {column}: {problem}.")

    def _each(self, column: str, read: Callable[[str], Any]) -> list[Any]:
        values = []
        for row, cell in enumerate(self.frame[column]):
            try:
                values.append(read(cell))
            except ValueError as error:
                raise self.error(row, column, str(error)) from error
        return values


def _word(cell: str, allowed: tuple[str, ...]) -> str:
    if allowed and cell and cell not in allowed:
        raise ValueError(f"{_shown(cell)} is not one of {', '.join(allowed)}")
    return cell


def _number(cell: str) -> float:
    if cell.lower() in MISSING:
        return float("nan")
    try:
        value = float(cell)
    except ValueError as error:
        raise ValueError(f"{_shown(cell)} is no number") from error
    if not np.isfinite(value):
        raise ValueError(f"{_shown(cell)} is not finite; leave the cell empty where it is missing")
    return value


def _count(cell: str) -> int | None:
    value = _number(cell)
    if np.isnan(value):
        return None
    # Through int where it can be: a float would round what has more than 15 digits.
    whole = int(cell) if cell.isdecimal() else int(value)
    if value < 0 or value != int(value) or whole > LARGEST:
        raise ValueError(f"{_shown(cell)} is no whole number from 0 to {LARGEST}")
    return whole


def _share(cell: str) -> float:
    value = _number(cell)
    if value < 0 or value > 1:
        raise ValueError(f"{_shown(cell)} does not lie in 0–1")
    return value


def _share_list(cell: str) -> tuple[float, ...]:
    return tuple(_share(part.strip()) for part in cell.split("+")) if cell else ()


def _switch(cell: str) -> bool:
    if cell.lower() in TRUE:
        return True
    if cell.lower() in FALSE:
        return False
    raise ValueError(f"{_shown(cell)} is neither 1 nor 0")


def _names(cell: str) -> tuple[str, ...]:
    if cell.lower() in NONE:
        return ()
    names = tuple(part.strip() for part in cell.split("+"))
    if any(name.lower() in (*MISSING, *NONE) for name in names):
        raise ValueError(f"{_shown(cell)} has a missing name; write A+B+C, or none")
    if len(set(names)) < len(names):
        raise ValueError(f"{_shown(cell)} names an augmentation twice")
    return names


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:40]}…")
