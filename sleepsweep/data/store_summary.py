"""What a store holds, recording by recording and subject by subject."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sleepsweep.data.manifest import RecordingEntry
from sleepsweep.metrics import STAGES


@dataclass(frozen=True)
class SubjectSummary:
    """What the store holds of a subject: nights, epochs by stage, dropped epochs by reason."""

    subject: str
    nights: int
    epochs: dict[str, int]
    dropped: dict[str, int]


@dataclass(frozen=True)
class RecordingSummary:
    """What the store holds of a recording, and how good it is.

    `epochs` counts the kept ones by stage, `dropped` the others by reason. `amplitude` is the
    robust sd of each channel in `unit`, before normalisation. `quality` is the mean over the kept
    epochs of the share of clean seconds, `marked` the share of kept epochs that have a second
    which is not clean.
    """

    subject: str
    night: int
    source: str
    channels: tuple[str, ...]
    unit: str
    amplitude: tuple[float, ...]
    epochs: dict[str, int]
    dropped: dict[str, int]
    quality: float
    marked: float

    @classmethod
    def of(
        cls, entry: RecordingEntry, stages: NDArray[np.int8], quality: NDArray[np.float32]
    ) -> "RecordingSummary":
        """Describe a recording from its entry and the stages and quality of its epochs."""
        counts = np.bincount(stages, minlength=len(STAGES)).tolist()
        return cls(
            subject=entry.subject,
            night=entry.night,
            source=entry.source,
            channels=entry.channels,
            unit=entry.unit,
            amplitude=entry.amplitude,
            epochs=dict(zip(STAGES, counts, strict=True)),
            dropped=dict(entry.dropped),
            quality=float(quality.mean(dtype=np.float64)),
            marked=float((quality < 1).mean()),
        )


def by_subject(recordings: Sequence[RecordingSummary]) -> list[SubjectSummary]:
    """Add up the recordings of each subject, in the order of their names."""
    return [
        _summed(subject, [one for one in recordings if one.subject == subject])
        for subject in sorted({one.subject for one in recordings})
    ]


def _summed(subject: str, recordings: Sequence[RecordingSummary]) -> SubjectSummary:
    epochs: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for one in recordings:
        epochs.update(one.epochs)
        dropped.update(one.dropped)
    nights = len({one.night for one in recordings})
    return SubjectSummary(subject, nights, dict(epochs), dict(dropped))
