"""Where recordings come from: the ``data`` section of a YAML, and the one list of sources."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import Field, field_validator, model_validator

from sleepsweep.data.npz import NpzSource, describe_folder, holds_npz, npz_files
from sleepsweep.data.recording import Normalize, Recording
from sleepsweep.data.simulated import CHANNEL, EPOCH_S, SimulatedSource, SimulatedSpec
from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec


class Source(Protocol):
    """Recordings, one at a time."""

    def recordings(self) -> Iterator[Recording]:
        """Yield every recording, always in the same order."""
        ...

    def fingerprint(self) -> dict[str, Any]:
        """What the recordings depend on, as plain JSON: equal when they are equal."""
        ...


class DataSpec(PartSpec):
    """Which recordings, and how they are prepared.

    `root` is the folder of an npz source. `derivations` names exactly one derivation,
    which the files must hold; ``None`` takes the one they hold. A
    `wake_crop_min` of ``None`` stands for the source's own habit: 30 minutes for simulated nights,
    which are whole, and no crop for npz folders, which come cropped.
    """

    source: str = "simulated"
    root: str | None = None
    derivations: (
        Annotated[tuple[str, ...], Field(strict=False, min_length=1, max_length=1)] | None
    ) = None
    sfreq: float = Field(default=100, gt=0, le=10_000)
    epoch_s: float = Field(default=30, gt=0, le=3600)
    normalize: Normalize = "robust"
    wake_crop_min: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    simulated: SimulatedSpec = SimulatedSpec()

    @field_validator("source")
    @classmethod
    def _known_source(cls, source: str) -> str:
        if source not in KINDS:
            raise ValueError(
                f"{source!r} is not supported in this version; allowed: {', '.join(KINDS)}. "
                "Convert other recordings to npz, one file a recording with x, y, fs and ch_label"
            )
        return source

    @model_validator(mode="after")
    def _agrees(self) -> "DataSpec":
        samples = self.sfreq * self.epoch_s
        if not math.isclose(samples, round(samples)) or samples < 2:
            raise ValueError(f"sfreq · epoch_s is {samples:g}, it must be a whole number above 1")
        if self.root is not None and not KINDS[self.source].reads_root:
            reading = ", ".join(name for name, kind in KINDS.items() if kind.reads_root)
            raise ValueError(
                f"root is {self.root!r}, but source {self.source!r} reads no folder; leave root "
                f"out, or set source to one that does: {reading}"
            )
        return self

    def build(self) -> Source:
        """Return the source. Raises `UserError` when the spec does not fit it."""
        return KINDS[self.source].build(self)

    def pointed_at(self, path: Path) -> "DataSpec":
        """Return this spec for the recordings at `path`, its kind detected.

        Raises `UserError` that says what was found and what is supported.
        """
        place = path.expanduser().resolve()
        for name, kind in KINDS.items():
            if kind.holds(place):
                return self.model_validate(
                    {**self.model_dump(), "source": name, "root": str(place)}
                )
        raise UserError(_not_recognised(place))

    @property
    def effective_wake_crop_min(self) -> float | None:
        """Minutes of wake to keep around sleep; ``None``: all of it."""
        if self.wake_crop_min is not None:
            return self.wake_crop_min
        return KINDS[self.source].wake_crop_min


@dataclass(frozen=True)
class Kind:
    """A source by name: how it is built, and how a path is recognised as one.

    `what` describes such a path; `wake_crop_min` is the default crop.
    """

    build: Callable[[DataSpec], Source]
    reads_root: bool = False
    holds: Callable[[Path], bool] = lambda path: False
    what: str = ""
    wake_crop_min: float | None = None


def _simulated(spec: DataSpec) -> Source:
    asked = spec.derivations or (CHANNEL,)
    if asked != (CHANNEL,) or spec.epoch_s != EPOCH_S:
        raise UserError(
            f"data.derivations is {list(asked)} and data.epoch_s {spec.epoch_s:g}; "
            f"simulated nights hold {CHANNEL} in epochs of {EPOCH_S} s only. Leave both out, or "
            "point data.root at recordings of your own."
        )
    return SimulatedSource(spec.simulated)


def _npz(spec: DataSpec) -> Source:
    if spec.root is None:
        raise UserError(
            "data.root is missing: source npz needs the folder that holds the npz files. Set "
            "data.root, or give the folder with --data."
        )
    derivation = spec.derivations[0] if spec.derivations else None
    return NpzSource(Path(spec.root).expanduser(), spec.epoch_s, derivation)


KINDS: dict[str, Kind] = {
    "simulated": Kind(_simulated, wake_crop_min=30.0),
    "npz": Kind(_npz, reads_root=True, holds=holds_npz, what="a folder of npz files"),
}


def _not_recognised(place: Path) -> str:
    supported = ", ".join(kind.what for kind in KINDS.values() if kind.what)
    if place.is_dir():
        endings = {entry.suffix.lower() for entry in place.iterdir()}
        if endings & {".pkl", ".pickle"}:
            npz_files(place)  # refuses, with what to do about pickles
        return f"{place}: found {describe_folder(place)}. Supported in this version: {supported}."
    found = f"a {place.suffix or 'plain'} file" if place.exists() else "nothing (no such path)"
    return f"{place}: found {found}. Supported in this version: {supported}; give that folder."
