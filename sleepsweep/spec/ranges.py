"""Values of the YAML that may be searched: a scalar, or a range to draw it from."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, Protocol, Self

import numpy as np
from pydantic import model_serializer, model_validator

from sleepsweep.part import PartSpec

Scalar = bool | int | float | str
FORMS = "{uniform: [a, b]}, {loguniform: [a, b]}, {int: [a, b]} or {choice: [...]}"


INTERVALS = ("uniform", "loguniform", "int")


def is_range(value: object) -> bool:
    """Whether a value of the YAML is a mapping that means a range."""
    return isinstance(value, dict) and len(value) == 1 and {*value} <= {*INTERVALS, "choice"}


class Suggest(Protocol):
    """Where drawn values come from; Optuna's trials have this shape."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return a real number in [low, high]."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Return a whole number in {low, …, high}."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Return one of `choices`."""


@dataclass(frozen=True)
class Draws:
    """Values drawn from one stream, in the shape of an Optuna trial."""

    generator: np.random.Generator

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Uniform (or, with `log`, log-uniform) in [low, high]."""
        if log:
            return float(low * (high / low) ** self.generator.uniform())
        return float(self.generator.uniform(low, high))

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Uniform in {low, …, high}."""
        return int(self.generator.integers(low, high, endpoint=True))

    def suggest_categorical(self, name: str, choices: Sequence[Scalar]) -> Scalar:
        """Uniform over `choices`."""
        return choices[int(self.generator.integers(len(choices)))]


class Range(PartSpec):
    """A fixed value, an interval (uniform, loguniform, int) or a choice of scalars."""

    kind: Literal["fixed", "uniform", "loguniform", "int", "choice"]
    options: tuple[Scalar, ...]

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, Range):
            return {"kind": value.kind, "options": value.options}
        if not isinstance(value, dict):
            return {"kind": "fixed", "options": (_scalar(value),)}
        kind, options = next(iter(value.items()), ("", None))
        if not is_range(value) or not isinstance(options, list):
            raise ValueError(f"{value} is not a range; allowed: a scalar, {FORMS}")
        return {"kind": kind, "options": tuple(_scalar(option) for option in options)}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == "choice" and not self.options:
            raise ValueError("a choice needs at least one option")
        if self.kind in INTERVALS:
            _check_interval(self.kind, self.options)
        return self

    @model_serializer
    def _write(self) -> Any:
        return self.options[0] if self.kind == "fixed" else {self.kind: list(self.options)}

    @property
    def ends(self) -> tuple[Scalar, ...]:
        """The options, as they are drawn: of an interval of real numbers, real numbers."""
        if self.kind in ("uniform", "loguniform"):
            return tuple(float(end) for end in self.options)
        return self.options

    def held(self, value: Scalar) -> Scalar | None:
        """Return `value` as it would be drawn; ``None`` where it would not be.

        Of words and numbers a results table keeps the text: it is the option that is written so.
        """
        if self.kind in ("fixed", "choice"):
            same = (option for option in self.options if option == value)
            written = (option for option in self.options if str(option) == value)
            return next(same, next(written, None))
        if isinstance(value, str) or not self.options[0] <= value <= self.options[1]:  # type: ignore[operator]
            return None
        if self.kind == "int":
            return int(value) if value == int(value) else None
        return float(value)

    def suggest(self, name: str, source: Suggest) -> Scalar:
        """Draw a value under `name`; real numbers are rounded to four significant digits.

        Rounding keeps a policy's canonical text short and the same everywhere it is written.
        """
        if self.kind == "fixed":
            return self.options[0]
        if self.kind == "choice":
            return _scalar(source.suggest_categorical(name, self.options))
        low, high = self.options
        if self.kind == "int":
            return source.suggest_int(name, int(low), int(high))
        log = self.kind == "loguniform"
        drawn = source.suggest_float(name, float(low), float(high), log=log)
        return min(max(float(f"{drawn:.4g}"), float(low)), float(high))


def _scalar(value: Any) -> Scalar:
    if isinstance(value, bool | int | str) or (isinstance(value, float) and isfinite(value)):
        return value
    raise ValueError(f"{value!r} is not a scalar; allowed: a scalar, {FORMS}")


def _check_interval(kind: str, options: tuple[Scalar, ...]) -> None:
    numbers = int if kind == "int" else (int, float)
    if len(options) != 2 or not all(
        isinstance(end, numbers) and not isinstance(end, bool) for end in options
    ):
        raise ValueError(
            f"{kind} needs two {'whole ' if kind == 'int' else ''}numbers: [low, high]"
        )
    low, high = float(options[0]), float(options[1])
    if not low <= high:
        raise ValueError(f"{kind}: [{low:g}, {high:g}] has its ends the wrong way round")
    if kind == "loguniform" and low <= 0:
        raise ValueError("loguniform needs a low end above 0")
