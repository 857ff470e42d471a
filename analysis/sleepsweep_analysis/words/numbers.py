"""Numbers as words: the same signs, decimals and intervals in every sentence and table."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

__all__ = [
    "NOTHING", "clause", "count", "duration", "estimate", "interval", "largest", "listing",
    "p_value", "plural", "points", "share", "shortened", "signed", "span",
]  # fmt: skip

NOTHING = "–"
"""What stands where a number is not to be had."""


def signed(value: float) -> str:
    """A number of points with its sign: +1.3, −0.4, 0.0."""
    if not np.isfinite(value):
        return NOTHING
    text = f"{value:+z.1f}".replace("-", "−")
    return "0.0" if text == "+0.0" else text


def points(value: float) -> str:
    """A number with one decimal."""
    return f"{value:z.1f}".replace("-", "−") if np.isfinite(value) else NOTHING


def span(low: float, high: float, *, plus: bool = True) -> str:
    """Two ends: ``+0.9 to +1.8``."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return NOTHING
    return " to ".join(signed(end) if plus else points(end) for end in (low, high))


def interval(low: float, high: float, *, plus: bool = True) -> str:
    """A 95 % interval in words, or that there is none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return "no interval to be had"
    return f"95\u00a0% interval {span(low, high, plus=plus)}"


def estimate(value: float, low: float, high: float) -> str:
    """``+1.3 (+0.9 to +1.8)``."""
    return f"{signed(value)} ({span(low, high)})" if np.isfinite(value) else NOTHING


def p_value(value: float) -> str:
    """A p-value with three decimals."""
    if not np.isfinite(value):
        return NOTHING
    return "< .001" if value < 0.001 else f"{value:.3f}"


def share(value: float) -> str:
    """A share in percent, without a zero where it is small but not nothing."""
    if not np.isfinite(value):
        return NOTHING
    return f"{100 * value:.0f}\u00a0%" if value >= 0.005 or value == 0 else "<\u00a01\u00a0%"


def count(value: float) -> str:
    """A whole number: 3,000; ``none helps`` where no number is enough."""
    if np.isposinf(value):
        return "no number helps"
    return f"{value:z,.0f}" if np.isfinite(value) else NOTHING


def duration(seconds: float) -> str:
    """Hours and minutes."""
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours:
        return f"{hours} h {minutes} min"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def listing(items: Iterable[object]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    words = [shortened(item) for item in items]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def largest(frame: pd.DataFrame, key: str = "effect") -> pd.Series:
    """The row whose `key` is furthest from 0."""
    return frame.sort_values(key, key=abs, ascending=False, kind="stable").iloc[0]


def clause(sentence: str) -> str:
    """A sentence as the end of another: without its full stop and its capital.

    A first word with more capitals in it (a name, an abbreviation) keeps its own.
    """
    text = sentence.strip().removesuffix(".")
    first = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if first[1:] == first[1:].lower() else text


def plural(number: int, noun: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def shortened(item: object, longest: int = 90) -> str:
    """A name on one line, cut where it is very long: a sentence must stay one."""
    text = " ".join(str(item).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
