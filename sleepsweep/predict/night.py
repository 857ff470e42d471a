"""A night without a hypnogram, prepared as a model's own recordings were."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sleepsweep.data.edf.description import Description
from sleepsweep.data.edf.header import read_header
from sleepsweep.data.edf.signals import EdfEpochs, read_edf
from sleepsweep.data.folders import check_tree, describe_folder
from sleepsweep.data.recording import Dropped, Epochs, Recording, prepared
from sleepsweep.errors import UserError
from sleepsweep.model import About

SHORTEST_MIN = 10.0
"""A recording is scaled by its own spread, which a shorter one does not tell."""

TICKS_S = (3600, 1800, 600, 300)
FEWEST_TICKS = 3
"""Of round times, an axis has the longest steps that leave so many."""


@dataclass(frozen=True)
class Night:
    """The epochs of one file as a model takes them.

    `epochs`, (epoch, channel, time), are those that can be used, and `positions`, (epoch,), their
    places among the `count` epochs of the file, which begin `first_s` after its start. `start` is
    ``None`` where the file withholds its date. `derivations` are named as in the file, which has
    them at `sfreq`; `dropped` counts the epochs that cannot be used, by reason.
    """

    path: Path
    epochs: Epochs
    positions: NDArray[np.int32]
    count: int
    epoch_s: float
    first_s: float
    start: datetime | None
    derivations: tuple[str, ...]
    sfreq: float
    dropped: Dropped

    @property
    def starts_s(self) -> float:
        """The time of day at which the recording starts, in seconds; 0 where it is withheld."""
        if self.start is None:
            return 0.0
        return float((self.start - datetime.combine(self.start, time.min)).total_seconds())

    def clock(self, after_s: float) -> str:
        """The time of day so long after the start; hours and minutes since, where withheld."""
        minutes = int(self.starts_s + after_s) // 60
        return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"

    def ticks(self) -> list[tuple[float, str]]:
        """Round times of the night: hours since its start, and what the clock says then."""
        begin_s = self.starts_s + self.first_s
        ends_s = begin_s + self.count * self.epoch_s
        step_s = next((s for s in TICKS_S if ends_s - begin_s >= FEWEST_TICKS * s), TICKS_S[-1])
        rounded = range(math.ceil(begin_s / step_s), math.floor(ends_s / step_s) + 1)
        places_s = [number * step_s - self.starts_s for number in rounded]
        return [(place_s / 3600, self.clock(place_s)) for place_s in places_s]


def read_night(
    path: Path, about: About, derivations: Sequence[str] | None = None, first_s: float = 0.0
) -> Night:
    """Read and prepare an EDF, EDF+ or BDF file for a model, all of it from `first_s` on.

    `derivations` stand for the model's own, in its order. Nothing is cropped: without a hypnogram
    nobody knows where sleep begins.

    Raises `UserError` for a file that cannot be read, lacks a derivation, is too short, sampled too
    slowly, or holds no usable epoch; and for another number of derivations, or another unit, than
    the model takes.
    """
    wanted = tuple(derivations or about.labels)
    about.check_number(wanted, str(path))
    header = read_header(path)
    found = _read(path, about, wanted, first_s, named=bool(derivations))
    _check_rate(path, about, found)
    about.check_unit(found.unit, str(path))
    count = len(found.epochs)
    if count * about.epoch_s < SHORTEST_MIN * 60:
        raise UserError(
            f"{path}: lasts {header.duration_s:g} s, which makes {count} epochs of "
            f"{about.epoch_s:g} s; a night of at least {SHORTEST_MIN:g} minutes is needed. Give "
            "the whole recording."
        )
    # To the preparation an epoch that is to be staged is a scored one; of which stage, it never
    # asks unless it crops.
    ready = prepared(
        _recording(path, found), sfreq=about.sfreq, normalize=about.normalize, wake_crop_min=None
    )
    return Night(
        path=path, epochs=ready.recording.epochs, positions=ready.recording.positions, count=count,
        epoch_s=about.epoch_s, first_s=first_s, start=header.start, derivations=found.channels,
        sfreq=found.sfreq, dropped=ready.dropped,
    )  # fmt: skip


def nights_at(path: Path) -> list[Path]:
    """Return the file `path`, or the EDF and BDF files with signals in and below that folder.

    Raises `UserError` for a folder without any.
    """
    if not path.is_dir():
        return [path]
    check_tree(path)
    found = sorted(path.glob(Description().recordings))
    nights = [each for each in found if each.is_file() and _is_night(each)]
    if not nights:
        raise UserError(
            f"{path}: holds no EDF or BDF recording (found: {describe_folder(path)}). Give a "
            "recording, or a folder of them."
        )
    return nights


def _is_night(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    try:
        return bool(read_header(path).signals)
    except UserError:
        return True  # what is wrong with it is said when it is its turn


def _read(
    path: Path, about: About, wanted: tuple[str, ...], first_s: float, *, named: bool
) -> EdfEpochs:
    try:
        return read_edf(path, wanted, about.epoch_s, first_s)
    except UserError as error:
        if named:
            raise
        raise UserError(
            f"{error}\nThe model takes {', '.join(wanted)}; --derivation names what stands for it."
        ) from error


def _check_rate(path: Path, about: About, found: EdfEpochs) -> None:
    # A rate is a quotient of the header's: that of 110 samples in 1.1 s is a hair below 100 Hz.
    if found.sfreq < about.sfreq and not math.isclose(found.sfreq, about.sfreq, rel_tol=1e-6):
        raise UserError(
            f"{path}: {', '.join(found.channels)} is sampled at {found.sfreq:g} Hz, and holds "
            f"nothing above {found.sfreq / 2:g} Hz; the model has learnt from signals up to "
            f"{about.sfreq / 2:g} Hz, and needs {about.sfreq:g} Hz. Export the recording at its "
            "own rate, or train a model on such recordings."
        )


def _recording(path: Path, found: EdfEpochs) -> Recording:
    count = len(found.epochs)
    return Recording(
        subject=path.stem, night=1, epochs=found.epochs, stages=np.zeros(count, dtype=np.int8),
        positions=np.arange(count, dtype=np.int32), sfreq=found.sfreq, channels=found.channels,
        unit=found.unit, source=str(path),
    )  # fmt: skip
