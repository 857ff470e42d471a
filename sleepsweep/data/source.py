"""Where recordings come from: the ``data`` section of a YAML, and the one list of sources."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from sleepsweep.data.edf.described import DescribedSource, described_at, holds_edf
from sleepsweep.data.edf.description import EXAMPLE, Description, is_description
from sleepsweep.data.edf.sleep_edf import holds_sleep_edf, sleep_edf_source
from sleepsweep.data.folders import check_folder, check_tree, describe_folder
from sleepsweep.data.names import bare_label
from sleepsweep.data.npz import NpzSource, holds_npz, npz_files
from sleepsweep.data.recording import Normalize
from sleepsweep.data.recordings import FirstRecordings, Source
from sleepsweep.data.simulation.layout import CHANNELS, EPOCH_S
from sleepsweep.data.simulation.source import SimulatedSource, SimulatedSpec
from sleepsweep.data.store_files import holds_store
from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec

ENTRY_POINTS = "sleepsweep.sources"


class DataSpec(PartSpec):
    """The YAML's ``data``: which recordings, and how they are prepared."""

    source: str = "simulated"
    """`simulated`, `sleep-edf`, `npz`, `edf`, `store`, a package's, or a description's path."""
    root: str | None = None
    """The folder of a source that reads one, in place of a description's own; see ``--data``."""
    derivations: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] | None = None
    """Null: Fpz-Cz of Sleep-EDF, what a description says, the one that other files hold."""
    sfreq: float = Field(default=100, gt=0, le=10_000)
    """In Hz; recordings of another sampling frequency are resampled to it."""
    epoch_s: float = Field(default=30, gt=0, le=3600)
    """The length of a scored epoch in seconds."""
    normalize: Normalize = "robust"
    """Of each recording by itself: by median and robust deviation, by mean and deviation, not."""
    wake_crop_min: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Minutes of wake kept around sleep; null: 30 of whole nights, all of npz, which is cropped."""
    # Left out of the text, and so of a store's key, where all recordings are taken.
    max_recordings: Annotated[int, Field(ge=1)] | None = Field(
        default=None, exclude_if=lambda most: most is None
    )
    """Take the first so many of the source, in its order; null: all."""
    simulated: SimulatedSpec = SimulatedSpec()
    """Of the source ``simulated``."""

    @field_validator("source")
    @classmethod
    def _known_source(cls, source: str) -> str:
        if source not in KINDS and not is_description(source):
            raise ValueError(
                f"{source!r} is no source; allowed: {', '.join(KINDS)}, or the path of a "
                "description file (.yaml)"
            )
        return source

    @field_validator("derivations")
    @classmethod
    def _no_doubles(cls, derivations: tuple[str, ...] | None) -> tuple[str, ...] | None:
        named = [bare_label(derivation) for derivation in derivations or ()]
        if len(set(named)) < len(named) or "" in named:
            raise ValueError(f"{', '.join(named)}: name every derivation once")
        return derivations

    @model_validator(mode="after")
    def _agrees(self) -> "DataSpec":
        samples = self.sfreq * self.epoch_s
        if not math.isclose(samples, round(samples)) or samples < 2:
            raise ValueError(f"sfreq · epoch_s is {samples:g}, it must be a whole number above 1")
        if self.root is not None and not KINDS[self.kind].reads_root:
            reading = ", ".join(name for name, kind in KINDS.items() if kind.reads_root)
            raise ValueError(
                f"root is {self.root!r}, but source {self.source!r} reads no folder; leave root "
                f"out, or set source to one that does: {reading}"
            )
        return self

    @property
    def kind(self) -> str:
        """The name in `KINDS` of the source; ``edf`` where it is a description file."""
        return "edf" if is_description(self.source) else self.source

    @property
    def channels(self) -> int | None:
        """How many derivations are taken; ``None`` where a description or the files say."""
        if self.derivations is not None:
            return len(self.derivations)
        return KINDS[self.kind].channels

    def build(self) -> Source:
        """Return the source. Raises `UserError` when the spec does not fit it."""
        source, most = KINDS[self.kind].build(self), self.max_recordings
        return source if most is None else FirstRecordings(source, most)

    def pointed_at(self, path: Path) -> "DataSpec":
        """Return this spec for the recordings at `path`, its kind detected.

        A spec whose source is ``edf`` or a description keeps it for a folder of EDF or BDF files.
        Raises `UserError` that says what was found and what is supported.
        """
        place = path.expanduser().resolve()
        try:
            is_folder = place.is_dir()
        except OSError as error:
            raise UserError(f"{place}: cannot be read ({error.strerror}).") from error
        if is_folder:
            check_folder(place)
        if self.kind == "edf" and holds_edf(place):
            return self._with(self.source, place)
        if is_description(place.name) and place.is_file():
            return self._with(str(place), None)
        for name, kind in KINDS.items():
            if kind.holds(place):
                return self._with(name, place)
        raise UserError(_not_recognised(place))

    def _with(self, source: str, root: Path | None) -> "DataSpec":
        place = None if root is None else str(root)
        return self.model_validate({**self.model_dump(), "source": source, "root": place})

    @property
    def effective_wake_crop_min(self) -> float | None:
        """Minutes of wake to keep around sleep; ``None``: all of it."""
        if self.wake_crop_min is not None:
            return self.wake_crop_min
        return KINDS[self.kind].wake_crop_min


@dataclass(frozen=True)
class Kind:
    """A source by name: how it is built, and how a path is recognised as one.

    `what` describes such a path; `wake_crop_min` is the default crop; `channels` is how many
    derivations it takes where none are named, ``None`` if that is not known without its files.
    """

    build: Callable[[DataSpec], Source]
    reads_root: bool = False
    holds: Callable[[Path], bool] = lambda path: False
    what: str = ""
    wake_crop_min: float | None = None
    channels: int | None = None


def _simulated(spec: DataSpec) -> Source:
    named = {bare_label(channel): channel for channel in CHANNELS}
    asked = [bare_label(derivation) for derivation in spec.derivations or CHANNELS[:1]]
    if not set(asked) <= set(named) or spec.epoch_s != EPOCH_S:
        raise UserError(
            f"data.derivations is {asked} and data.epoch_s {spec.epoch_s:g}; simulated nights hold "
            f"{', '.join(CHANNELS)} in epochs of {EPOCH_S} s. Choose among these, or point "
            "data.root at recordings of your own."
        )
    return SimulatedSource(spec.simulated, tuple(named[name] for name in asked))


def _npz(spec: DataSpec) -> Source:
    root = _root(spec)
    if spec.derivations and len(spec.derivations) > 1:
        raise UserError(
            f"data.derivations is {list(spec.derivations)}, but a file of an npz folder holds one "
            "derivation. Name that one, or leave derivations out."
        )
    derivation = spec.derivations[0] if spec.derivations else None
    return NpzSource(root, spec.epoch_s, derivation)


def _sleep_edf(spec: DataSpec) -> Source:
    return sleep_edf_source(_root(spec), spec.epoch_s, spec.derivations or ())


def _edf(spec: DataSpec) -> Source:
    derivations = spec.derivations or ()
    if is_description(spec.source):
        root = None if spec.root is None else _root(spec)
        return described_at(Path(spec.source).expanduser(), root, spec.epoch_s, derivations)
    return DescribedSource(_root(spec), Description(epoch_s=spec.epoch_s), derivations)


def _store(spec: DataSpec) -> Source:
    raise UserError(f"{_root(spec)}: is a prepared store, which is used as it is, not imported.")


def _root(spec: DataSpec) -> Path:
    if spec.root is None:
        raise UserError(
            f"data.root is missing: source {spec.source} needs the folder that holds the "
            "recordings. Set data.root, or give the folder with --data."
        )
    return Path(spec.root).expanduser()


OWN_KINDS: dict[str, Kind] = {
    "simulated": Kind(_simulated, wake_crop_min=30.0, channels=1),
    "store": Kind(_store, reads_root=True, holds=holds_store, what="a prepared store"),
    "sleep-edf": Kind(
        _sleep_edf, reads_root=True, holds=holds_sleep_edf, wake_crop_min=30.0, channels=1,
        what="a folder of Sleep-EDF (*-PSG.edf with *-Hypnogram.edf)",
    ),
    "npz": Kind(
        _npz, reads_root=True, holds=holds_npz, channels=1, what="a folder of npz files"
    ),
    "edf": Kind(
        _edf, reads_root=True, wake_crop_min=30.0,
        what="a description file (.yaml) of any other EDF or BDF files",
    ),
}  # fmt: skip


def _kinds() -> dict[str, Kind]:
    """Return this package's sources, and those that installed packages offer as entry points."""
    kinds = dict(OWN_KINDS)
    for point in entry_points(group=ENTRY_POINTS):
        if point.name in kinds:
            raise ValueError(f"{point.value}: a data source named {point.name!r} exists already")
        kinds[point.name] = Kind(_built_by(point), reads_root=True)
    return kinds


def _built_by(point: EntryPoint) -> Callable[[DataSpec], Source]:
    # Loaded when it is used: another package's source must not slow every command down.
    return lambda spec: point.load()(spec)


KINDS = _kinds()


def _not_recognised(place: Path) -> str:
    supported = f"Supported: {', '.join(kind.what for kind in KINDS.values() if kind.what)}."
    if not place.is_dir():
        found = f"a {place.suffix or 'plain'} file" if place.exists() else "nothing (no such path)"
        return f"{place}: found {found}. {supported}"
    check_tree(place)  # what is looked for may be where it cannot be seen
    if holds_edf(place):
        return (
            f"{place}: holds EDF or BDF files that are not named as Sleep-EDF's are. Where EDF+ "
            "annotations inside them give the stages and their names tell who slept (as in BIDS), "
            "set data.source: edf, or import them first (sleepsweep data import FOLDER --source "
            "edf --out STORE) and give that store. Else describe them in a YAML file "
            f"in that folder and give its path, for example:\n{EXAMPLE}"
        )
    endings = {entry.suffix.lower() for entry in place.iterdir()}
    if endings & {".pkl", ".pickle"}:
        npz_files(place)  # refuses, with what to do about pickles
    return f"{place}: found {describe_folder(place)}. {supported}"
