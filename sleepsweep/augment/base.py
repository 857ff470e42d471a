"""What an augmentation is: a frozen dataclass of physical parameters that is called on epochs.

A new augmentation is one class in the file of its category: it registers itself by its name.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sleepsweep.augment.parameters import (
    Parameter,
    check_fields,
    check_number,
    names_of_signal,
    of_signal,
    parameters,
)
from sleepsweep.augment.registry import register
from sleepsweep.errors import UserError
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Signal:
    """What a tensor of epochs holds: its sampling frequency in Hz and its unit in µV.

    `units_per_sd` is the standard deviation of the recordings in that unit: 1 where they were
    divided by it, ``None`` where it is not known.
    """

    sfreq: float = of_signal(100.0)
    uv_per_unit: float = of_signal(1.0)
    units_per_sd: float | None = of_signal(None)

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

    Subclass with ``abstract=True`` for a class that is a category and no augmentation. A
    docstring's first paragraph is the definition and its last one the source, as lists show them.
    `min_channels` is how many channels an epoch needs; channels that do not share the draws of
    their epoch are declared by `own_draws_by_channel`.
    """

    category: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    dial: ClassVar[Dial | None] = None
    needs_partner: ClassVar[bool] = False
    min_channels: ClassVar[int] = 1
    own_draws_by_channel: ClassVar[bool] = False

    def __init_subclass__(cls, abstract: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not abstract:
            register(cls)

    def __post_init__(self) -> None:
        check_fields(self)

    def __call__(
        self, x: Tensor, generator: torch.Generator, partner: Tensor | None = None
    ) -> Tensor:
        """Return the augmented epochs, with the shape, dtype and device of `x`.

        `x` is (batch, channel, time) and is never modified; where nothing is to be done the result
        is `x` itself. Each epoch has its own draws, shared by its channels, from `generator` (on
        the device of `x`). `partner`, shaped as `x`, holds the other epochs that mixing needs.
        float16 and bfloat16 are computed in float32. Gradients flow to `x`.
        """
        self._check(x, partner)
        if x.numel() == 0 or self._is_identity():
            return x
        other = x if partner is None else partner
        if x.dtype in (torch.float16, torch.bfloat16):
            return self.apply(x.float(), generator, other.float()).to(x.dtype)
        return self.apply(x, generator, other)

    def _check(self, x: Tensor, partner: Tensor | None) -> None:
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
        self.check_channels(x.shape[1])

    @classmethod
    def check_channels(cls, channels: int) -> None:
        """Raise `UserError` if epochs of so many channels are too few for it."""
        if channels < cls.min_channels:
            raise UserError(
                f"{cls.__name__} needs at least {cls.min_channels} channels; these epochs have "
                f"{channels}. Name more derivations in data.derivations, or leave {cls.__name__} "
                "out."
            )

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

    @classmethod
    def definition(cls) -> str:
        """What it does, in a sentence: the first paragraph of its docstring."""
        return _paragraphs(cls)[0]

    @classmethod
    def source(cls) -> str:
        """Where it was published: the last of several paragraphs of its docstring."""
        return " ".join(_paragraphs(cls)[1:][-1:])

    def in_signal(self, signal: Signal) -> Self:
        """Return a copy that knows the sampling frequency and the unit of the epochs."""
        changes: dict[str, Any] = {name: getattr(signal, name) for name in names_of_signal(self)}
        return replace(self, **changes)

    def _is_identity(self) -> bool:
        return self.dial is not None and getattr(self, self.dial.field) == self.dial.identity


def _is_like(partner: Tensor | None, x: Tensor) -> bool:
    return partner is not None and partner.shape == x.shape and partner.dtype == x.dtype


def _paragraphs(cls: type) -> list[str]:
    return [" ".join(part.split()) for part in (inspect.getdoc(cls) or "").split("\n\n")]
