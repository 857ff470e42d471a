"""What a store says of itself: ``manifest.json``."""

import hashlib
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from sleepsweep.data.recording import Prepared, Unit
from sleepsweep.part import PartSpec

NOMINAL_UV = 20.0  # robust sd taken for recordings of unknown unit; sleep EEG has about this much


class RecordingEntry(PartSpec):
    """One recording of a store: where it came from, what was done to it, the hash of its epochs.

    `centre`, `scale` and `spread` are those of `Prepared`, a number a channel; `kept` counts its
    epochs in the store, `dropped` those left out, by reason.
    """

    subject: str
    night: int
    source: str
    sfreq: float
    channels: tuple[str, ...]
    unit: Unit
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    spread: tuple[float, ...]
    kept: int
    dropped: dict[str, int]
    epochs_hash: str

    @classmethod
    def of(cls, prepared: Prepared, epochs_hash: str) -> "RecordingEntry":
        """Describe a prepared recording."""
        recording = prepared.recording
        return cls(
            subject=recording.subject,
            night=recording.night,
            source=recording.source,
            sfreq=recording.sfreq,
            channels=recording.channels,
            unit=recording.unit,
            centre=tuple(prepared.centre.tolist()),
            scale=tuple(prepared.scale.tolist()),
            spread=tuple(prepared.spread.tolist()),
            kept=len(recording.epochs),
            dropped=prepared.dropped.by_reason(),
            epochs_hash=epochs_hash,
        )

    @property
    def amplitude(self) -> tuple[float, ...]:
        """Robust standard deviation of the kept epochs in `unit`, a number a channel."""
        return tuple(scale * spread for scale, spread in zip(self.scale, self.spread, strict=True))

    @property
    def uv_per_unit(self) -> float:
        """Microvolts that one unit of the stored values stands for; nominal for unknown units."""
        known = self.unit == "uV"
        return float(np.median(self.scale) if known else NOMINAL_UV / np.median(self.spread))


class Manifest(PartSpec):
    """``manifest.json``: the hashes that hold the files together, and how they were made.

    `key` identifies what the store was prepared from; `data_hash` the data themselves: epochs,
    stages, subjects. `shape` is (epoch, channel, time); `channels` and `unit` join different
    names of one derivation with ``|``.
    """

    format_version: int
    key: str
    data_hash: str
    index_hash: str
    sample_hash: str
    shape: tuple[int, int, int]
    sfreq: float
    channels: tuple[str, ...]
    unit: str
    preprocessing: dict[str, Any]
    recordings: Annotated[tuple[RecordingEntry, ...], Field(min_length=1)]
    manifest_hash: str = ""

    def sealed(self) -> "Manifest":
        """Return it with the hash of all the rest in `manifest_hash`."""
        rest = self.model_dump_json(exclude={"manifest_hash"})
        digest = hashlib.sha256(rest.encode()).hexdigest()[:32]
        return self.model_copy(update={"manifest_hash": digest})

    @property
    def epoch_s(self) -> float:
        """Length of an epoch in seconds."""
        return self.shape[2] / self.sfreq
