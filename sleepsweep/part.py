"""The base of every part of a validated YAML: frozen, and unknown keys are errors."""

from pydantic import BaseModel, ConfigDict


class PartSpec(BaseModel):
    """A frozen piece of configuration, kept in the file of the thing it configures.

    Unknown keys are forbidden, defaults are validated like given values, and numbers are not made
    from strings, so that what a YAML says is what runs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)
