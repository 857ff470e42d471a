"""Columns of a table as a reader sees them: one way of setting a number for page and files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sleepsweep_analysis.words import numbers

__all__ = [
    "Column", "Row", "between", "count", "estimated", "number", "p_value", "ranged", "share",
    "signed", "text", "valued", "verdict",
]  # fmt: skip

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column: its title, what a row's cell says, and how it is set ("text", "n", "verdict")."""

    title: str
    cell: Callable[[Row], str]
    style: str = "text"


def text(key: str, title: str) -> Column:
    """A column of words."""
    return Column(title, lambda row: _words(row[key]))


def verdict(key: str = "verdict", title: str = "Verdict") -> Column:
    """A column of verdicts."""
    return Column(title, lambda row: _words(row[key]), "verdict")


def count(key: str, title: str) -> Column:
    """A column of whole numbers."""
    return Column(title, lambda row: numbers.count(row[key]), "n")


def number(key: str, title: str, decimals: int = 1) -> Column:
    """A column of numbers without a sign."""
    return Column(title, lambda row: _decimal(row[key], decimals), "n")


def signed(key: str, title: str) -> Column:
    """A column of differences."""
    return Column(title, lambda row: numbers.signed(row[key]), "n")


def share(key: str, title: str) -> Column:
    """A column of shares."""
    return Column(title, lambda row: numbers.share(row[key]), "n")


def p_value(key: str, title: str) -> Column:
    """A column of p-values."""
    return Column(title, lambda row: numbers.p_value(row[key]), "n")


def ranged(low: str, high: str, title: str = "95 % interval", *, plus: bool = True) -> Column:
    """A column of intervals."""
    return Column(title, lambda row: numbers.span(row[low], row[high], plus=plus), "n")


def between(low: str, high: str, title: str) -> Column:
    """A column of ranges in a unit of their own."""

    def cell(row: Row) -> str:
        ends = (row[low], row[high])
        return numbers.NOTHING if any(map(pd.isna, ends)) else f"{ends[0]:.3g} to {ends[1]:.3g}"

    return Column(title, cell, "n")


def estimated(key: str, low: str, high: str, title: str) -> Column:
    """A column of differences with their intervals."""
    return Column(title, lambda row: numbers.estimate(row[key], row[low], row[high]), "n")


def valued(key: str, low: str, high: str, title: str) -> Column:
    """A column of numbers without a sign, with their intervals."""

    def cell(row: Row) -> str:
        return f"{numbers.points(row[key])} ({numbers.span(row[low], row[high], plus=False)})"

    return Column(title, cell, "n")


def _words(value: object) -> str:
    missing = value is None or value != value
    return numbers.NOTHING if missing or value == "" else str(value)


def _decimal(value: float, decimals: int) -> str:
    if pd.isna(value):
        return numbers.NOTHING
    return f"{value:,.{decimals}f}".replace("-", "−")
