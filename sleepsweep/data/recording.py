"""A recording as arrays, and what may be done to it before anybody learns from it.

Every function is pure. `prepared` runs them in order: crop the wake around the night, drop epochs
that cannot be used, resample, normalise.
"""

from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sleepsweep.data.quality import FLAT_SD, epoch_quality
from sleepsweep.errors import UserError

Normalize = Literal["robust", "zscore", "none"]
Unit = Literal["uV", "unknown"]
Epochs = NDArray[np.float32]
Values = NDArray[np.float64]

MAD_TO_SD = 1.4826  # of a Gaussian: 1 / Φ⁻¹(3/4)
RANGE_SD = 50.0  # EEG does not swing further; loose electrodes and amplifier resets do


@dataclass(frozen=True)
class Recording:
    """One file: the scored epochs of one night of one subject.

    `epochs` is (epoch, channel, time) in `unit`; `stages` is (epoch,), 0–4 as in
    `sleepsweep.metrics.STAGES` and negative where unscored; `positions` is (epoch,), the place of
    each epoch in the night in units of an epoch, strictly increasing; `source` names the file.
    """

    subject: str
    night: int
    epochs: Epochs
    stages: NDArray[np.int8]
    positions: NDArray[np.int32]
    sfreq: float
    channels: tuple[str, ...]
    unit: Unit
    source: str

    def __post_init__(self) -> None:
        count, channels = self.epochs.shape[:2]
        if self.stages.shape != (count,) or self.positions.shape != (count,):
            raise ValueError(f"{self.source}: stages and positions must have shape ({count},)")
        if channels != len(self.channels):
            raise ValueError(f"{self.source}: {channels} channels, {len(self.channels)} names")

    @property
    def epoch_s(self) -> float:
        """Length of an epoch in seconds."""
        return float(self.epochs.shape[2] / self.sfreq)

    def keep(self, chosen: NDArray[np.bool_]) -> "Recording":
        """Return the recording with only the chosen epochs, a mask of shape (epoch,)."""
        return replace(
            self,
            epochs=self.epochs[chosen],
            stages=self.stages[chosen],
            positions=self.positions[chosen],
        )


@dataclass(frozen=True)
class Dropped:
    """How many epochs were left out, each counted once, under the first reason that holds."""

    wake: int = 0
    unscored: int = 0
    not_finite: int = 0
    flat: int = 0
    out_of_range: int = 0

    def by_reason(self) -> dict[str, int]:
        """Return the counts by reason, the zeros too."""
        return asdict(self)


@dataclass(frozen=True)
class Prepared:
    """A recording ready for the store, and what was done to it.

    The recording's samples are (raw − `centre`) / `scale`, both (channel,) in its unit. `spread` is
    its robust standard deviation *after* that: 1 after a robust normalisation. `quality` is the
    share of each epoch's seconds that are clean, (epoch,).
    """

    recording: Recording
    dropped: Dropped
    centre: Values
    scale: Values
    spread: Values
    quality: NDArray[np.float32]


def prepared(
    recording: Recording, *, sfreq: float, normalize: Normalize, wake_crop_min: float | None
) -> Prepared:
    """Crop, clean, resample and normalise a recording.

    Raises `UserError` when no usable epoch is left.
    """
    whole = len(recording.epochs)
    night = recording if wake_crop_min is None else crop_wake(recording, wake_crop_min)
    clean, dropped = drop_unusable(night)
    dropped = replace(dropped, wake=whole - len(night.epochs))
    if not len(clean.epochs):
        counts = ", ".join(f"{name} {count}" for name, count in dropped.by_reason().items())
        raise UserError(
            f"{recording.source}: no usable epoch is left of {whole} (dropped: {counts}). An epoch "
            "needs a stage from 0 to 4 and finite samples that vary: mend the file, or take it out "
            "of the folder."
        )
    normal, centre, scale = normalised(resampled(clean, sfreq), normalize)
    middle, spread = robust_centre_and_scale(normal.epochs)
    quality = epoch_quality(normal.epochs, normal.epoch_s, middle, spread)
    return Prepared(normal, dropped, centre, scale, spread, quality)


def crop_wake(recording: Recording, wake_crop_min: float) -> Recording:
    """Keep `wake_crop_min` minutes before the first and after the last epoch of sleep.

    Minutes are counted by position, so gaps count as time. Without any sleep all of it is kept.
    """
    asleep = recording.positions[recording.stages > 0]
    if not len(asleep):
        return recording
    margin = int(wake_crop_min * 60 / recording.epoch_s)
    first, last = int(asleep[0]) - margin, int(asleep[-1]) + margin
    return recording.keep((recording.positions >= first) & (recording.positions <= last))


def drop_unusable(recording: Recording) -> tuple[Recording, Dropped]:
    """Drop epochs that are unscored, not finite, flat or out of range, and count them by reason.

    Flat: a channel that is constant, or whose sd is below 0.001 of the recording's robust sd. Out
    of range: any sample further than 50 robust sd from the median. Both are judged against the
    scored, finite epochs that are not constant, so that a loose electrode does not set the scale.
    """
    unscored = recording.stages < 0
    finite = np.isfinite(recording.epochs).all(axis=(1, 2))
    judged = ~unscored & finite
    flat, far = np.zeros_like(judged), np.zeros_like(judged)
    flat[judged], far[judged] = _flat_and_far(recording.epochs[judged])
    masks = (unscored, ~unscored & ~finite, flat, far)
    dropped = Dropped(0, *(int(mask.sum()) for mask in masks))
    return recording.keep(judged & ~flat & ~far), dropped


def resampled(recording: Recording, sfreq: float) -> Recording:
    """Resample to `sfreq` by polyphase filtering at the exact rational ratio.

    Contiguous epochs are filtered as one signal, so that the edge of an epoch is not an artefact
    of the filter; only the ends of a run are extrapolated.
    """
    samples = recording.epochs.shape[2]
    wanted = round(recording.epoch_s * sfreq)
    if not np.isclose(wanted * recording.sfreq, samples * sfreq):
        raise ValueError(f"{recording.epoch_s} s at {sfreq} Hz is not a whole number of samples")
    if wanted == samples:
        return recording
    breaks = np.flatnonzero(np.diff(recording.positions) != 1) + 1
    runs = [_resampled_run(run, wanted) for run in np.split(recording.epochs, breaks)]
    return replace(recording, epochs=np.concatenate(runs), sfreq=float(sfreq))


def normalised(recording: Recording, how: Normalize) -> tuple[Recording, Values, Values]:
    """Return the recording as (x − centre) / scale, with centre and scale of shape (channel,).

    ``robust``: median and 1.4826 · median absolute deviation; ``zscore``: mean and standard
    deviation; ``none``: 0 and 1. Both are taken over all its epochs, a channel at a time.
    """
    epochs = recording.epochs
    if how == "robust":
        centre, scale = robust_centre_and_scale(epochs)
    elif how == "zscore":
        centre = epochs.mean(axis=(0, 2), dtype=np.float64)
        scale = epochs.std(axis=(0, 2), dtype=np.float64)
    else:
        return recording, np.zeros(epochs.shape[1]), np.ones(epochs.shape[1])
    values = (epochs - centre[:, None]) / scale[:, None]
    return replace(recording, epochs=values.astype(np.float32)), centre, scale


def robust_centre_and_scale(epochs: Epochs) -> tuple[Values, Values]:
    """Median and robust standard deviation, both (channel,), of (epoch, channel, time).

    Where more than half of the samples are equal the median absolute deviation is 0, and the
    ordinary standard deviation stands in.
    """
    centre = np.median(epochs, axis=(0, 2))
    deviation = MAD_TO_SD * np.median(np.abs(epochs - centre[:, None]), axis=(0, 2))
    sd = epochs.std(axis=(0, 2), dtype=np.float64)
    return centre.astype(np.float64), np.where(deviation > 0, deviation, sd).astype(np.float64)


def _flat_and_far(epochs: Epochs) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    constant = (np.ptp(epochs, axis=2) == 0).any(axis=1)
    if constant.all():
        return constant, np.zeros_like(constant)
    centre, spread = robust_centre_and_scale(epochs[~constant])
    flat = constant | (epochs.std(axis=2, dtype=np.float64) < FLAT_SD * spread).any(axis=1)
    swing = np.abs(epochs - centre[:, None]).max(axis=2)
    return flat, (swing > RANGE_SD * spread).any(axis=1) & ~flat


def _resampled_run(run: Epochs, wanted: int) -> Epochs:
    from scipy.signal import resample_poly  # takes time

    count, channels, samples = run.shape
    ratio = Fraction(wanted, samples)
    signal = run.transpose(1, 0, 2).reshape(channels, -1)
    joined = resample_poly(signal, ratio.numerator, ratio.denominator, axis=1, padtype="line")
    split = np.asarray(joined, dtype=np.float32).reshape(channels, count, wanted)
    return np.ascontiguousarray(split.transpose(1, 0, 2))
