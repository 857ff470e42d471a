"""How one published value becomes physical parameters of an augmentation, or is refused."""

import math
import reprlib
from collections.abc import Callable
from typing import Any

from sleepsweep.spec.ranges import Scalar

Parameters = dict[str, Scalar]
Rule = Callable[[Any], Parameters]
"""From a published value to our parameters; ``{}``: what is done anyway. Raises `ValueError`."""


def symmetric(field: str, *, whole: bool = False) -> Rule:
    """[−a, a] is `field` a."""

    def rule(value: Any) -> Parameters:
        low, high = _ends(value, whole=whole)
        if low != -high:
            raise ValueError(_refused(value, "[-a, a], as far to either side"))
        return {field: high}

    return rule


def reciprocal(field: str) -> Rule:
    """[1/a, a] is `field` a; as ends are written with few digits, to a thousandth."""

    def rule(value: Any) -> Parameters:
        low, high = _ends(value)
        if not math.isclose(low * high, 1, rel_tol=1e-3):
            raise ValueError(_refused(value, "[1/a, a], such as [0.5, 2]"))
        return {field: float(high)}

    return rule


def from_zero(field: str, fixed: str | None = None, *, whole: bool = False) -> Rule:
    """[0, a] is `field` a; [a, a] is `fixed` a where there is such a parameter."""

    def rule(value: Any) -> Parameters:
        low, high = _ends(value, whole=whole)
        if low == 0:
            return {field: high}
        if fixed is not None and low == high:
            return {fixed: high}
        raise ValueError(_refused(value, "[0, a]" if fixed is None else "[0, a] or [a, a]"))

    return rule


def to_one(field: str) -> Rule:
    """[a, 1], or a alone, is `field` a."""

    def rule(value: Any) -> Parameters:
        if not isinstance(value, list):
            return {field: as_number(value)}
        low, high = _ends(value)
        if high != 1:
            raise ValueError(_refused(value, "[a, 1]"))
        return {field: low}

    return rule


def between(lowest: str, highest: str, *, whole: bool = False) -> Rule:
    """[a, b] is `lowest` a and `highest` b."""

    def rule(value: Any) -> Parameters:
        low, high = _ends(value, whole=whole)
        return {lowest: low, highest: high}

    return rule


def number(field: str, **besides: Scalar) -> Rule:
    """A number is `field`; what goes with it is `besides`."""
    return lambda value: {field: as_number(value), **besides}


def count(field: str) -> Rule:
    """A whole number is `field`."""
    return lambda value: {field: _whole(value)}


def share_of(field: str) -> Rule:
    """One part of n, with n at least 2, is `field` 1/n."""

    def rule(value: Any) -> Parameters:
        parts = _whole(value)
        if parts < 2:
            raise ValueError(_refused(value, "a whole number, at least 2"))
        return {field: 1 / parts}

    return rule


def always(*values: str | int) -> Rule:
    """One of `values`, all of which are what is done anyway."""

    def rule(value: Any) -> Parameters:
        if isinstance(value, bool) or value not in values:
            raise ValueError(_refused(value, " or ".join(map(repr, values))))
        return {}

    return rule


def as_number(value: Any) -> float:
    """Return a number as it is. Raises `ValueError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(_refused(value, "a number"))
    return value


def _whole(value: Any) -> int:
    numeric = as_number(value)
    if numeric != round(numeric):
        raise ValueError(_refused(value, "a whole number"))
    return round(numeric)


def _ends(value: Any, *, whole: bool = False) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(_refused(value, "two numbers [a, b]"))
    low, high = (_whole(end) if whole else as_number(end) for end in value)
    if low > high:
        raise ValueError(_refused(value, "[a, b] with a not above b"))
    return low, high


def _refused(value: Any, possible: str) -> str:
    return f"{reprlib.repr(value)} is not possible here; possible: {possible}"
