"""The base of every part of a validated YAML: frozen, and unknown keys are errors."""

from dataclasses import dataclass
from typing import Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

import sleepsweep


class PartSpec(BaseModel):
    """A frozen piece of configuration, kept in the file of the thing it configures.

    Unknown keys are forbidden, defaults are validated like given values, and numbers are not made
    from strings, so that what a YAML says is what runs. The text below a field is what
    docs/yaml_reference.py says of it.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, allow_inf_nan=False
    )


@dataclass(frozen=True)
class Shared:
    """Marks a scalar that all trials of a sweep share and none may search.

    `reason` says why, `instead` what to do.
    """

    reason: str
    instead: str = "give one value, and another one in a sweep of its own"


def later(default: Any) -> Any:
    """Declare a key that was added after trials had been recorded without it.

    At its default it is left out of what is written, so that trials that do not use it keep the
    identity that they have always had.
    """
    return Field(default=default, exclude_if=lambda value: value == default)


@dataclass(frozen=True)
class Only(AfterValidator):
    """What `only` makes: a check that knows the values it accepts."""

    supported: tuple[Any, ...] = ()


def only(*supported: Any) -> Only:
    """Accept only the values in `supported`; another value of the grammar is refused, not ignored.

    For keys whose other values belong to the grammar but are not supported by this version.
    """

    def check(value: Any) -> Any:
        if value not in supported:
            allowed = ", ".join("null" if item is None else str(item) for item in supported)
            raise ValueError(
                f"{value} is not supported by sleepsweep {sleepsweep.__version__}; "
                f"supported: {allowed}"
            )
        return value

    return Only(check, supported)
