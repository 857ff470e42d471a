"""Ranges among the settings of a trial: any scalar of encoder, pretrain and probe may be searched.

A part's own spec says which of its scalars may not (`sleepsweep.part.Shared`), and judges a range
at all its ends before anything is drawn.
"""

from collections.abc import Mapping
from itertools import product
from typing import Any, get_args

from pydantic import ValidationError

from sleepsweep.part import PartSpec, Shared
from sleepsweep.spec.pool import KeyedError
from sleepsweep.spec.ranges import Range, Scalar, Suggest
from sleepsweep.trial import PARTS, Parts

Ranges = Mapping[str, Range]
"""Ranges by the dotted path of what they are drawn for, e.g. ``pretrain.temperature``."""


def draw_values(ranges: Ranges, source: Suggest) -> dict[str, Scalar]:
    """Draw each range under its own path."""
    return {path: values.suggest(path, source) for path, values in ranges.items()}


def without_ranges(tree: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Range]]:
    """Return a search space's `tree` with each searched scalar at its range's first value.

    The ranges come by dotted path beside it. Raises `KeyedError` for a range that is none, and for
    one of a scalar that all trials share.
    """
    plain, ranges = dict(tree), {}
    for section, kind in PARTS.items():
        values = plain.get(section)
        if not isinstance(values, dict):
            continue
        found = {
            key: _range(section, key, kind, value)
            for key, value in values.items()
            if isinstance(value, dict) and key in kind.model_fields
        }
        plain[section] = {**values, **{key: drawn.ends[0] for key, drawn in found.items()}}
        ranges.update({f"{section}.{key}": drawn for key, drawn in found.items()})
    return plain, ranges


def with_ranges(tree: dict[str, Any], ranges: Ranges) -> dict[str, Any]:
    """The reverse of `without_ranges`: put the ranges into the tree again, as YAML writes them."""
    whole = dict(tree)
    for path, values in ranges.items():
        section, key = path.split(".")
        if section in whole:
            whole[section] = {**whole[section], key: values.model_dump()}
    return whole


def check_ends(parts: Parts, ranges: Ranges) -> None:
    """Build the parts at all ends of their ranges; raises `KeyedError` where one is refused."""
    for section in PARTS:
        within = {
            path: values.ends for path, values in ranges.items() if path.startswith(f"{section}.")
        }
        for corner in product(*within.values()):
            try:
                parts.with_values(dict(zip(within, corner, strict=True)))
            except ValidationError as error:
                first = error.errors()[0]
                message = f"{first['msg']} (got {first['input']!r})"
                raise KeyedError(message, section, *map(str, first["loc"])) from error


def _range(section: str, key: str, kind: type[PartSpec], value: dict[str, Any]) -> Range:
    entry = kind.model_fields[key]
    for shared in entry.metadata:
        if isinstance(shared, Shared):
            raise KeyedError(
                f"may not be searched: {shared.reason}; {shared.instead}", section, key
            )
    try:
        drawn = Range.model_validate(value)
    except ValidationError as error:
        raise KeyedError(str(error.errors()[0]["ctx"]["error"]), section, key) from error
    kinds = {entry.annotation, *get_args(entry.annotation)}
    if int in kinds and float not in kinds and drawn.kind in ("uniform", "loguniform"):
        raise KeyedError(
            "counts whole things; draw it from {int: [a, b]} or a choice", section, key
        )
    return drawn
