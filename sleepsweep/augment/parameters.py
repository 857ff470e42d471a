"""The fields of an augmentation: what the user sets, in which range, and what the signal sets."""

import math
from collections.abc import Collection
from dataclasses import Field, field, fields
from functools import cache
from numbers import Integral, Real
from typing import Any, NamedTuple, get_args, get_type_hints

from sleepsweep.errors import UserError


class Parameter(NamedTuple):
    """What a user may set: its type, its default and the allowed range (both ends included).

    A default of ``None`` marks an alternative, which is off unless it is given.
    """

    kind: type
    default: Any
    low: float
    high: float


def parameter(default: float, *, low: float = -math.inf, high: float = math.inf) -> Any:
    """Declare a dataclass field that the user sets, with its allowed range."""
    return field(default=default, metadata={"low": low, "high": high})


def alternative(*instead_of: str, low: float = -math.inf, high: float = math.inf) -> Any:
    """Declare a field that is ``None`` unless given, and then stands instead of other fields.

    Its type is ``float | None`` or ``int | None``. Together with one of the fields `instead_of`
    it is the user's error.
    """
    return field(default=None, metadata={"low": low, "high": high, "instead_of": instead_of})


def of_signal(default: float | None) -> Any:
    """Declare a dataclass field that is taken from the signal and is no parameter of the user.

    ``None`` stands for what is not known of the signal.
    """
    # Far below any unit or recording in use: what it excludes is zero and the negative numbers.
    return field(default=default, metadata={"low": 1e-6, "of_signal": True})


def parameters(cls: Any) -> dict[str, Parameter]:
    """Return the parameters of an augmentation's class that a user may set, by name."""
    return {each.name: _described(cls, each) for each in fields(cls) if not _of_signal(each)}


def names_of_signal(owner: Any) -> list[str]:
    """Return the names of the fields of an augmentation that the signal sets."""
    return [each.name for each in fields(owner) if _of_signal(each)]


def check_fields(owner: Any) -> None:
    """Check every number of a dataclass against its type and range; `UserError` otherwise."""
    for each in fields(owner):
        allowed, value = _described(type(owner), each), getattr(owner, each.name)
        if allowed.kind in (int, float, bool) and not (value is None and each.default is None):
            check_number(type(owner).__name__, each.name, value, allowed)
    # A field that an alternative stands for is not seen to be given when it is at its default.
    changed = [each.name for each in fields(owner) if getattr(owner, each.name) != each.default]
    check_alternatives(type(owner), changed)


def check_alternatives(cls: Any, given: Collection[str]) -> None:
    """Raise `UserError` when a parameter in `given` excludes another one in `given`."""
    for each in fields(cls):
        replaced = [name for name in each.metadata.get("instead_of", ()) if name in given]
        if each.name in given and replaced:
            raise UserError(
                f"{cls.__name__}: {each.name} stands instead of {' and '.join(replaced)}; "
                "they exclude each other, give one."
            )


def check_number(owner: str, name: str, value: object, allowed: Parameter) -> None:
    """Raise `UserError` unless `value` is a finite number of the allowed type and range."""
    if allowed.kind is bool:
        if isinstance(value, bool):
            return
        raise UserError(f"{owner}: {name} = {value!r}; it must be true or false.")
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


def _described(cls: type, each: "Field[Any]") -> Parameter:
    low, high = each.metadata.get("low", -math.inf), each.metadata.get("high", math.inf)
    hint = _types(cls)[each.name]
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    kind = kinds[0] if len(kinds) == 1 and isinstance(kinds[0], type) else object
    return Parameter(kind, each.default, low, high)


@cache
def _types(cls: type) -> dict[str, Any]:
    # A field's own type is text in a module whose annotations are not evaluated.
    return get_type_hints(cls)
