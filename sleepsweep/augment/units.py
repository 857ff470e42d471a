"""Amplitudes given in µV or in standard deviations of the recording, in units of the signal."""

from typing import Protocol

from sleepsweep.errors import UserError


class InSignal(Protocol):
    """An augmentation that knows the unit of its epochs."""

    @property
    def uv_per_unit(self) -> float:
        """Microvolts of one unit."""

    @property
    def units_per_sd(self) -> float | None:
        """Units of one standard deviation of the recording."""


def in_units(owner: InSignal, amplitude_uv: float, amplitude_sd: float | None) -> float:
    """Return the amplitude in the unit of the signal; `amplitude_sd` counts where it is given.

    Raises `UserError` for standard deviations of a signal whose own is not known.
    """
    if amplitude_sd is None:
        return amplitude_uv / owner.uv_per_unit
    if owner.units_per_sd is None:
        raise UserError(
            f"{type(owner).__name__}: an amplitude in standard deviations (_sd) needs that of the "
            "recordings, which is not known here. Give the amplitude in µV (_uv), or the signal "
            "as Signal(units_per_sd=…)."
        )
    return amplitude_sd * owner.units_per_sd
