"""The YAML's ``policy`` of an experiment: augmentations in order, each with fixed values."""

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationError

from sleepsweep.augment import augmentation
from sleepsweep.errors import UserError
from sleepsweep.spec.pool import KeyedError, PoolEntry
from sleepsweep.trial import MemberSpec


def _read(items: Any) -> Any:
    if not isinstance(items, list | tuple):
        raise ValueError("a policy is a list of augmentations, as [{TimeWarping: {severity: 0.5}}]")
    return tuple(_member(item, place) for place, item in enumerate(items))


def _member(item: Any, place: int) -> MemberSpec:
    if isinstance(item, MemberSpec):
        return item
    if isinstance(item, str):
        item = {item: None}
    if not isinstance(item, dict) or len(item) != 1:
        raise KeyedError("one augmentation with its values, as {TimeWarping: {p: 0.5}}", place)
    ((name, values),) = item.items()
    try:
        kind = augmentation(str(name))
    except UserError as error:
        raise KeyedError(str(error), place, name) from error
    try:
        entry = PoolEntry.model_validate(values or {})
    except ValidationError as error:
        first = error.errors()[0]
        raise KeyedError(first["msg"], place, name, *first["loc"]) from error
    given = {"p": entry.p, "severity": entry.severity, **entry.parameters}
    for key, value in given.items():
        if value is not None and value.kind != "fixed":
            raise KeyedError("a range; an experiment has one value", place, name, key)
    return MemberSpec(
        name=kind.__name__,
        p=float(entry.p.options[0]),
        severity=None if entry.severity is None else float(entry.severity.options[0]),
        parameters={key: value.options[0] for key, value in entry.parameters.items()},
    )


def as_entry(member: MemberSpec) -> tuple[str, PoolEntry]:
    """A member as the YAML has it: its name, and its values."""
    drawn = {} if member.severity is None else {"severity": member.severity}
    return member.name, PoolEntry.model_validate({**drawn, **member.parameters, "p": member.p})


def _write(policy: tuple[MemberSpec, ...]) -> list[dict[str, Any]]:
    return [{name: entry.model_dump(exclude_none=True)} for name, entry in map(as_entry, policy)]


PolicySpec = Annotated[tuple[MemberSpec, ...], BeforeValidator(_read), PlainSerializer(_write)]
"""The type of the key ``policy``."""
