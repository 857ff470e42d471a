"""Prepared epochs of many recordings, memory-mapped, handed out by subject.

A `Store` is the only way from the files to the samples, so it is also the place where the test
subjects are kept from everybody who must not see them.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sleepsweep.data.recording import Epochs, Prepared, Recording, prepared
from sleepsweep.data.source import DataSpec, Source
from sleepsweep.data.split import LeakError
from sleepsweep.data.store_files import FORMAT_VERSION, read_store, write_store
from sleepsweep.errors import UserError
from sleepsweep.metrics import STAGES

NOMINAL_UV = 20.0  # robust sd taken for recordings of unknown unit; sleep EEG has about this much

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class SubjectSummary:
    """What the store holds of a subject: nights, epochs by stage, dropped epochs by reason."""

    subject: str
    nights: int
    epochs: dict[str, int]
    dropped: dict[str, int]


class Store:
    """A prepared store; `open` or `prepare` makes one, `withholding` a view that hides subjects.

    Attributes: `folder`; `data_hash`, of epochs, labels and subjects; `sfreq` in Hz; `channels`.
    A store travels to other processes as its folder's path, never as its samples.
    """

    def __init__(self, folder: Path, withheld: frozenset[str] = frozenset()) -> None:
        manifest, index, epochs = read_store(folder)
        self.folder = folder
        self.data_hash: str = manifest["data_hash"]
        self.sfreq: float = manifest["sfreq"]
        self.channels: tuple[str, ...] = tuple(manifest["channels"])
        self._manifest = manifest
        self._epochs = epochs
        self._stages = index["stage"].to_numpy(dtype=np.int8)
        names, codes = np.unique(index["subject"].to_numpy(dtype=str), return_inverse=True)
        self._everyone = tuple(str(name) for name in names)
        self._subject_of_row = codes
        self._withheld = withheld
        self._open = ~np.isin(codes, self._codes(withheld))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a store. Raises `UserError` when it is damaged or of another format version."""
        return cls(folder)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.folder, self._withheld)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the subjects that may be read, sorted."""
        return tuple(name for name in self._everyone if name not in self._withheld)

    def uv_per_unit(self, subjects: Collection[str]) -> float:
        """Microvolts that one unit of the store's values stands for, from `subjects`' recordings.

        Recordings in µV: the median over recordings of their normalisation's scale; 1 when they
        are not normalised. A recording of unknown unit is taken to have a robust sd of 20 µV, a
        nominal value. Raises like `rows`.
        """
        self.rows(subjects)
        entries = [e for e in self._manifest["recordings"] if e["subject"] in set(subjects)]
        return float(np.median([_uv_per_unit(entry) for entry in entries]))

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
        return self._stages[self._permitted(rows)]

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

    def summary(self) -> list[SubjectSummary]:
        """Describe every subject that may be read, by name."""
        return [self._summary(subject) for subject in self.subjects]

    def _summary(self, subject: str) -> SubjectSummary:
        counts = np.bincount(self._stages[self.rows([subject])], minlength=len(STAGES)).tolist()
        entries = [e for e in self._manifest["recordings"] if e["subject"] == subject]
        reasons = entries[0]["dropped"]
        return SubjectSummary(
            subject,
            nights=len({entry["night"] for entry in entries}),
            epochs=dict(zip(STAGES, counts, strict=True)),
            dropped={reason: sum(e["dropped"][reason] for e in entries) for reason in reasons},
        )

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


def prepare(spec: DataSpec, cache: Path | None = None) -> Store:
    """Return the store of `spec`, prepared now or earlier.

    It lies under `cache`, or ``$SLEEPSWEEP_CACHE``, or ``~/.cache/sleepsweep``, in a folder named
    by the source and a hash of the spec, of the state of the files and of the store format. It is
    written beside its final place and renamed, so that an interrupted preparation leaves nothing,
    and of two at once the first to finish is used by both.
    Raises `UserError` for recordings that cannot be used or a folder that cannot be written.
    """
    source = spec.build()
    folder = cache or Path(os.environ.get("SLEEPSWEEP_CACHE") or "~/.cache/sleepsweep")
    target = folder.expanduser().resolve() / f"{spec.source}-{_key(spec, source)}"
    if not target.exists():
        with _written_beside(target) as partial:
            write_store(partial, _prepared(spec, source), spec.model_dump(mode="json"))
    return Store.open(target)


def _prepared(spec: DataSpec, source: Source) -> Iterator[Prepared]:
    def one(recording: Recording) -> Prepared:
        return prepared(
            recording,
            sfreq=spec.sfreq,
            normalize=spec.normalize,
            wake_crop_min=spec.effective_wake_crop_min,
        )

    # A map, unlike a generator, does not keep a recording while the next one is read.
    return map(one, source.recordings())


def _key(spec: DataSpec, source: Source) -> str:
    preparation = spec.model_dump(mode="json", exclude={"root", "simulated"})
    parts = [FORMAT_VERSION, preparation, source.fingerprint()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@contextmanager
def _written_beside(target: Path) -> Iterator[Path]:
    partial = target.with_name(f".partial-{target.name}-{uuid.uuid4().hex[:8]}")
    try:
        partial.mkdir(parents=True)
        yield partial
        _rename(partial, target)
    except OSError as error:
        raise UserError(
            f"{target.parent}: the prepared data cannot be written there ({error}). Free some "
            "space, or set SLEEPSWEEP_CACHE to a folder that can be written."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _rename(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError:
        if not target.exists():
            raise
        # Another process finished the same store first; its copy is as good as ours.


def _uv_per_unit(entry: dict[str, Any]) -> float:
    known = entry["unit"] == "uV"
    return float(np.median(entry["scale"]) if known else NOMINAL_UV / np.median(entry["spread"]))
