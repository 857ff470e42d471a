"""What an augmentation is: a frozen dataclass of physical parameters that is called on epochs.

A new augmentation is one class in the file of its category: it registers itself by its name.
"""

import difflib
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from sleepsweep.augment.parameters import (
    Parameter,
    check_fields,
    check_number,
    names_of_signal,
    of_signal,
    parameters,
)
from sleepsweep.errors import UserError

_BY_NAME: dict[str, type["Augmentation"]] = {}


@dataclass(frozen=True)
class Signal:
    """What a tensor of epochs holds: its sampling frequency in Hz and its unit in µV."""

    sfreq: float = of_signal(100.0)
    uv_per_unit: float = of_signal(1.0)

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class Dial:
    """How severity in [0, 1] sets one field: 0 is the identity, ½ the published default.

    value(s) = identity + (published − identity)·(2s)^k, with k such that value(1) = strongest:
    the smooth monotone map through the three values.
    """

    field: str
    identity: float
    published: float
    strongest: float

    def value(self, severity: float) -> float:
        """Return the field's value at a severity in [0, 1]."""
        if severity == 1:
            return self.strongest  # the power below may miss it by a rounding error
        step = self.published - self.identity
        exponent = math.log2((self.strongest - self.identity) / step)
        return self.identity + step * math.pow(2 * severity, exponent)

    def whole(self, severity: float) -> int:
        """Return the value as a whole number; the identity at severity 0 only."""
        rounded = round(self.value(severity))
        if severity > 0 and rounded == self.identity:
            return rounded + (1 if self.strongest > self.identity else -1)
        return rounded


@dataclass(frozen=True)
class Augmentation(ABC):
    """Base of every augmentation; a subclass is a frozen dataclass and implements `apply`.

    Subclass with ``abstract=True`` for a class that is a category and no augmentation.
    """

    category: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    dial: ClassVar[Dial | None] = None
    needs_partner: ClassVar[bool] = False

    def __init_subclass__(cls, abstract: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not abstract:
            _register(cls)

    def __post_init__(self) -> None:
        check_fields(self)

    def __call__(
        self, x: Tensor, generator: torch.Generator, partner: Tensor | None = None
    ) -> Tensor:
        """Return the augmented epochs, with the shape, dtype and device of `x`.

        `x` is (batch, channel, time) and is never modified; where nothing is to be done the result
        is `x` itself. Each epoch has its own draws, shared by its channels, from `generator` (on
        the device of `x`). `partner`, shaped as `x`, holds the other epochs that mixing needs.
        """
        name = type(self).__name__
        if x.ndim != 3 or not x.is_floating_point():
            raise UserError(
                f"{name}: got a {x.dtype} tensor of shape {tuple(x.shape)}; "
                "epochs are a floating-point tensor (batch, channel, time)."
            )
        if self.needs_partner and not _is_like(partner, x):
            given = "none" if partner is None else f"{partner.dtype} {tuple(partner.shape)}"
            raise UserError(
                f"{name} mixes each epoch with a partner and needs a tensor "
                f"{x.dtype} {tuple(x.shape)} of them; given: {given}."
            )
        if x.numel() == 0 or self._is_identity():
            return x
        return self.apply(x, generator, x if partner is None else partner)

    @abstractmethod
    def apply(self, x: Tensor, generator: torch.Generator, partner: Tensor) -> Tensor:
        """Draw and apply, for valid input; without a partner `partner` is `x`.

        Runs on any device without waiting for it: no ``.item()``, no data-dependent shapes.
        """

    @classmethod
    def at_severity(cls, severity: float) -> Self:
        """Return the augmentation at a severity in [0, 1]; its other parameters are defaults.

        Raises `UserError` outside [0, 1] or when the class has no dial.
        """
        if cls.dial is None:
            raise UserError(f"{cls.__name__} has no severity: its dial is p.")
        check_number(cls.__name__, "severity", severity, Parameter(float, 0.5, 0.0, 1.0))
        value = cls.dial.value(severity)
        if parameters(cls)[cls.dial.field].kind is int:
            value = cls.dial.whole(severity)
        changes: dict[str, Any] = {cls.dial.field: value}
        return replace(cls(), **changes)

    def in_signal(self, signal: Signal) -> Self:
        """Return a copy that knows the sampling frequency and the unit of the epochs."""
        changes: dict[str, Any] = {name: getattr(signal, name) for name in names_of_signal(self)}
        return replace(self, **changes)

    def _is_identity(self) -> bool:
        return self.dial is not None and getattr(self, self.dial.field) == self.dial.identity


def augmentation(name: str) -> type[Augmentation]:
    """Return the class of a name or alias; `UserError` with the nearest name otherwise."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = difflib.get_close_matches(str(name), list(_BY_NAME), n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UserError(f"unknown augmentation {name!r}.{hint} Known: {', '.join(augmentations())}.")


def augmentations() -> dict[str, type[Augmentation]]:
    """Return every registered class by its canonical name, category by category."""
    return {name: cls for name, cls in _BY_NAME.items() if name == cls.__name__}


def _register(cls: type[Augmentation]) -> None:
    if not cls.category:
        raise TypeError(f"{cls.__name__} has no category: inherit from a category or set one.")
    for name in (cls.__name__, *cls.aliases):
        if name in _BY_NAME:
            raise TypeError(
                f"augmentation name {name!r} is used twice: by {_BY_NAME[name].__qualname__} and "
                f"{cls.__qualname__} (dataclass(slots=True) registers a class twice, too)."
            )
    _BY_NAME.update(dict.fromkeys((cls.__name__, *cls.aliases), cls))


def _is_like(partner: Tensor | None, x: Tensor) -> bool:
    return partner is not None and partner.shape == x.shape and partner.dtype == x.dtype
