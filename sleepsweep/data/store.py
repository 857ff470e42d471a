"""Prepared epochs of many recordings, memory-mapped, handed out by subject.

A `Store` is the only way from the files to the samples, so it is also the place where the test
subjects are kept from everybody who must not see them.
"""

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sleepsweep.data.recording import Epochs
from sleepsweep.data.split import LeakError
from sleepsweep.data.store_files import LABELS, read_store, verify_epochs
from sleepsweep.data.store_summary import RecordingSummary, SubjectSummary, by_subject

Rows = NDArray[np.int64]


class Store:
    """A prepared store; `open` or `prepare` makes one, `withholding` a view that hides subjects.

    Attributes: `folder`; `manifest`, how the data were prepared. A store travels to other
    processes as its folder's path, never as its samples, and all of them share its pages.
    """

    def __init__(self, folder: Path, withheld: frozenset[str] = frozenset()) -> None:
        manifest, index, epochs = read_store(folder)
        self.folder = folder
        self.manifest = manifest
        self._epochs = epochs
        self._labels = index[list(LABELS)]
        self._stages = index["stage"].to_numpy()
        self._quality = index["quality"].to_numpy()
        self._everyone: tuple[str, ...] = tuple(index["subject"].cat.categories)
        self._subject_of_row = index["subject"].cat.codes.to_numpy()
        self._withheld = withheld
        self._open = ~np.isin(self._subject_of_row, self._codes(withheld))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a store, reading a sample of its epochs.

        Raises `UserError` when it is damaged or of another format version.
        """
        return cls(folder)

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (type(self), self.folder, self._withheld)

    @property
    def data_hash(self) -> str:
        """Hash of epochs, stages and subjects, whatever file they came from."""
        return self.manifest.data_hash

    @property
    def sfreq(self) -> float:
        """Sampling frequency in Hz."""
        return self.manifest.sfreq

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels."""
        return self.manifest.channels

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the subjects that may be read, sorted."""
        return tuple(name for name in self._everyone if name not in self._withheld)

    @property
    def nights(self) -> dict[str, int]:
        """How many nights there are of each subject that may be read."""
        return {person.subject: person.nights for person in self.summary()}

    def uv_per_unit(self, subjects: Collection[str]) -> float:
        """Microvolts that one unit of the store's values stands for, from `subjects`' recordings.

        Recordings in µV: the median over recordings of their normalisation's scale; 1 when they
        are not normalised. A recording of unknown unit is taken to have a robust sd of 20 µV, a
        nominal value. Raises like `rows`.
        """
        self.rows(subjects)
        entries = [e for e in self.manifest.recordings if e.subject in set(subjects)]
        return float(np.median([entry.uv_per_unit for entry in entries]))

    def units_per_sd(self, subjects: Collection[str]) -> float:
        """Units of the store's values that one robust sd of a recording is, from `subjects`'.

        1 where recordings are normalised, else the median of their robust sds. Raises like `rows`.
        """
        self.rows(subjects)
        entries = [e for e in self.manifest.recordings if e.subject in set(subjects)]
        return float(np.median([entry.spread for entry in entries]))

    def rows(self, subjects: Collection[str]) -> Rows:
        """Return the rows of `subjects`, rising, int64 (row,).

        Raises `LeakError` for a withheld subject and `ValueError` for an unknown one.
        """
        hidden = sorted(self._withheld.intersection(subjects))
        if hidden:
            raise LeakError(f"subjects withheld from this view: {', '.join(hidden)}")
        return np.flatnonzero(np.isin(self._subject_of_row, self._codes(subjects)))

    def stages(self, rows: ArrayLike) -> NDArray[np.int8]:
        """Return the stages 0–4 of `rows`, (row,). Raises `LeakError` like `gather`."""
        return np.asarray(self._stages[self._permitted(rows)])

    def subjects_of(self, rows: ArrayLike) -> NDArray[np.str_]:
        """Return the subject's name of each of `rows`, (row,). Raises `LeakError` like `gather`."""
        return np.asarray(self._everyone)[self._subject_of_row[self._permitted(rows)]]

    def labels(self, rows: ArrayLike) -> pd.DataFrame:
        """Return `subject`, `night`, `position` in the recording and `stage` of `rows`, a row each.

        Raises `LeakError` like `gather`.
        """
        return self._labels.iloc[self._permitted(rows)].reset_index(drop=True)

    def quality(self, rows: ArrayLike) -> NDArray[np.float32]:
        """Return the share of clean seconds of `rows`, (row,). Raises `LeakError` like `gather`."""
        return np.asarray(self._quality[self._permitted(rows)])

    def gather(self, rows: ArrayLike) -> Epochs:
        """Return a fresh, writable copy of the epochs of `rows`, (row, channel, time).

        Raises `LeakError` when a row belongs to a withheld subject and `IndexError` when there is
        no such row.
        """
        return np.asarray(self._epochs)[self._permitted(rows)]

    def withholding(self, subjects: Collection[str]) -> "Store":
        """Return a view on the same files that hands out nothing of `subjects`.

        What this store withholds already stays withheld. Raises `ValueError` for unknown subjects.
        """
        return type(self)(self.folder, self._withheld.union(subjects))

    def only(self, subjects: Collection[str]) -> "Store":
        """Return a view on the same files that hands out nothing but `subjects`.

        What this store withholds already stays withheld. Raises `ValueError` for unknown subjects.
        """
        self._codes(subjects)
        return self.withholding(set(self._everyone).difference(subjects))

    def verify(self) -> None:
        """Read every epoch and compare it with what was written, a block at a time.

        Raises `UserError` that names the damaged recordings.
        """
        verify_epochs(self.folder, self.manifest, self._epochs)

    def recordings(self) -> list[RecordingSummary]:
        """Describe every recording that may be read, in the order of the store."""
        ends = np.cumsum([entry.kept for entry in self.manifest.recordings])[:-1]
        parts = zip(
            self.manifest.recordings,
            np.split(self._stages, ends),
            np.split(self._quality, ends),
            strict=True,
        )
        return [
            RecordingSummary.of(entry, stages, quality)
            for entry, stages, quality in parts
            if entry.subject not in self._withheld
        ]

    def summary(self) -> list[SubjectSummary]:
        """Describe every subject that may be read, by name."""
        return by_subject(self.recordings())

    def _codes(self, subjects: Collection[str]) -> list[int]:
        unknown = sorted(set(subjects).difference(self._everyone))
        if unknown:
            raise ValueError(f"{self.folder}: no such subjects: {', '.join(unknown)}")
        return [self._everyone.index(subject) for subject in subjects]

    def _permitted(self, rows: ArrayLike) -> Rows:
        wanted = np.atleast_1d(np.asarray(rows))
        if wanted.size and wanted.dtype.kind not in "iu":
            raise TypeError(f"rows are whole numbers, not {wanted.dtype}")
        wanted = wanted.astype(np.int64)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self._stages)):
            raise IndexError(f"{self.folder}: rows go from 0 to {len(self._stages) - 1}")
        if not self._open[wanted].all():
            raise LeakError("rows of subjects withheld from this view")
        return wanted


# Ray unpickles what a worker runs anew for each trial, on the driver as well.
@lru_cache(maxsize=8)
def _reopened(kind: type[Store], folder: Path, withheld: frozenset[str]) -> Store:
    return kind(folder, withheld)
