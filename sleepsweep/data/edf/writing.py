"""Recordings and hypnograms written as Sleep-EDF's files are: EDF, and EDF+ annotations."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sleepsweep.errors import UserError
from sleepsweep.replacing import replacing

# R&K's labels as the genuine files write them; stages 3 and 4 are one to us, and written as 3.
LABELS: dict[int, str] = {
    0: "Sleep stage W", 1: "Sleep stage 1", 2: "Sleep stage 2", 3: "Sleep stage 3",
    4: "Sleep stage R", -1: "Sleep stage ?",
}  # fmt: skip
# The AASM's stages by the standard texts of EDF+.
AASM_LABELS: dict[int, str] = {
    0: "Sleep stage W", 1: "Sleep stage N1", 2: "Sleep stage N2", 3: "Sleep stage N3",
    4: "Sleep stage R", -1: "Sleep stage ?",
}  # fmt: skip
STEPS = 2**16 - 1


def write_psg(
    path: Path, signals_uv: ArrayLike, channels: Sequence[str], sfreq: float, start: datetime
) -> NDArray[np.float64]:
    """Write signals, (channel, time) in µV, as 16-bit EDF; `channels` are labels ("EEG Fpz-Cz").

    Each signal's range is its own smallest and largest value, rounded outwards to the 8 characters
    that the format has for them, so that a step is as fine as the signal allows. Returns the steps
    in µV, (channel,): no written value is further than half a step from the given one.

    The file appears whole or not at all. Raises `ValueError` for signals that are not finite or do
    not fit `channels`, and `UserError` when the file cannot be written.
    """
    from edfio import Edf, EdfSignal, Recording

    signals = np.asarray(signals_uv, dtype=np.float64)
    if signals.ndim != 2 or len(signals) != len(channels) or not np.isfinite(signals).all():
        raise ValueError(f"signals of shape {signals.shape} do not fit {len(channels)} channels")
    written = [
        EdfSignal(
            signal, sfreq, label=channel, physical_dimension="uV",
            physical_range=None if np.ptp(signal) else (float(signal[0]) - 1, float(signal[0]) + 1),
        )
        for signal, channel in zip(signals, channels, strict=True)
    ]  # fmt: skip
    recording = Recording(startdate=start.date())
    _write(path, Edf(written, recording=recording, starttime=start.time()))
    return np.array([(s.physical_max - s.physical_min) / STEPS for s in written])


def write_hypnogram(
    path: Path, stages: ArrayLike, epoch_s: float, start: datetime | None,
    labels: Mapping[int, str] = LABELS, first_s: float = 0.0,
) -> None:  # fmt: skip
    """Write stages, (epoch,), -1 for unscored, as EDF+ annotations, one for each run of a stage.

    `labels` gives every stage its annotation; the first epoch begins `first_s` after the `start`,
    which may be withheld (``None``). The file appears whole or not at all. Raises
    `KeyError` for a stage without a label, and `UserError` when the file cannot be written.
    """
    from edfio import Edf, EdfAnnotation, Recording

    annotations, onset_s = [], first_s
    for stage, run in groupby(np.asarray(stages).tolist()):
        lasts_s = len(list(run)) * epoch_s
        annotations.append(EdfAnnotation(onset_s, lasts_s, labels[stage]))
        onset_s += lasts_s
    date, time = (None, None) if start is None else (start.date(), start.time())
    edf = Edf([], recording=Recording(startdate=date), starttime=time, annotations=annotations)
    _write(path, edf)


def _write(path: Path, edf: Any) -> None:
    with _beside(path) as partial:
        edf.write(partial)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    try:
        with replacing(path) as partial:
            yield partial
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}). Free some space, or choose a folder "
            "that exists and can be written."
        ) from error
