"""The fields of an augmentation: what the user sets, in which range, and what the signal sets."""

import math
from dataclasses import Field, field, fields
from numbers import Integral, Real
from typing import Any, NamedTuple

from sleepsweep.errors import UserError


class Parameter(NamedTuple):
    """What a user may set: its type, its default and the allowed range (both ends included)."""

    kind: type
    default: Any
    low: float
    high: float


def parameter(default: float, *, low: float = -math.inf, high: float = math.inf) -> Any:
    """Declare a dataclass field that the user sets, with its allowed range."""
    return field(default=default, metadata={"low": low, "high": high})


def of_signal(default: float) -> Any:
    """Declare a dataclass field that is taken from the signal and is no parameter of the user."""
    # Far below any unit or recording in use: what it excludes is zero and the negative numbers.
    return field(default=default, metadata={"low": 1e-6, "of_signal": True})


def parameters(cls: Any) -> dict[str, Parameter]:
    """Return the parameters of an augmentation's class that a user may set, by name."""
    return {each.name: _described(each) for each in fields(cls) if not _of_signal(each)}


def names_of_signal(owner: Any) -> list[str]:
    """Return the names of the fields of an augmentation that the signal sets."""
    return [each.name for each in fields(owner) if _of_signal(each)]


def check_fields(owner: Any) -> None:
    """Check every number of a dataclass against its type and range; `UserError` otherwise."""
    for each in fields(owner):
        if each.type in (int, float):
            value = getattr(owner, each.name)
            check_number(type(owner).__name__, each.name, value, _described(each))


def check_number(owner: str, name: str, value: object, allowed: Parameter) -> None:
    """Raise `UserError` unless `value` is a finite number of the allowed type and range."""
    kind = Integral if allowed.kind is int else Real
    if isinstance(value, kind) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and allowed.low <= number <= allowed.high:
            return
    what = "a whole number" if allowed.kind is int else "a number"
    ends = [f"at least {allowed.low:g}"] if math.isfinite(allowed.low) else []
    ends += [f"at most {allowed.high:g}"] if math.isfinite(allowed.high) else []
    bounds = " and ".join(ends) or "that is finite"
    raise UserError(f"{owner}: {name} = {value!r}; it must be {what}, {bounds}.")


def _of_signal(each: "Field[Any]") -> bool:
    return "of_signal" in each.metadata


def _described(each: "Field[Any]") -> Parameter:
    low, high = each.metadata.get("low", -math.inf), each.metadata.get("high", math.inf)
    kind = each.type if isinstance(each.type, type) else object
    return Parameter(kind, each.default, low, high)
