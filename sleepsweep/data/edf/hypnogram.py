"""A hypnogram: stages over time, and how they become a stage for every epoch of a recording."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sleepsweep.errors import UserError
from sleepsweep.metrics import STAGES

Stages = NDArray[np.int8]

UNSCORED = -1
# What a label of a hypnogram may be mapped to: a stage, time that nobody scored, or no stage at all
# (an event such as "Lights off", which says nothing of the time around it).
MEANINGS: dict[str, int | None] = {
    **{stage: code for code, stage in enumerate(STAGES)},
    "unscored": UNSCORED,
    "ignore": None,
}
# Rechtschaffen and Kales' and the AASM's labels, as EDF+ and common scoring programs spell them.
# Bare digits are missing on purpose: 4 is REM in some files and a deep stage in others.
STANDARD_LABELS: dict[str, str] = {
    "Sleep stage W": "W", "Sleep stage 1": "N1", "Sleep stage 2": "N2", "Sleep stage 3": "N3",
    "Sleep stage 4": "N3", "Sleep stage R": "R", "Sleep stage ?": "unscored",
    "Movement time": "unscored",
    "Sleep stage N1": "N1", "Sleep stage N2": "N2", "Sleep stage N3": "N3",
    "W": "W", "N1": "N1", "N2": "N2", "N3": "N3", "R": "R", "?": "unscored",
    "Wake": "W", "S1": "N1", "S2": "N2", "S3": "N3", "S4": "N3", "REM": "R",
    "MT": "unscored", "Movement": "unscored", "Unscored": "unscored",
}  # fmt: skip
# How long a stage without a duration lasts.
Lasting = Literal["an epoch", "until the next"]
TOLERANCE_S = 0.5  # how far a boundary may lie off the grid of epochs
SHORTEST_SHARE = 0.5  # of the recording that a hypnogram without a date must reach
LOOSE_EPOCHS = 2  # by how many sleep may be scored after the recording's end


@dataclass(frozen=True)
class Hypnogram:
    """Stages over time: span i lasts `durations_s[i]` from `onsets_s[i]` after the start.

    `stages` are 0–4 or -1 (unscored); `start` is when the hypnogram begins, where its file tells;
    `counted` says that it is a list of a stage an epoch, whose times are only counted; `source`
    names the file.
    """

    onsets_s: NDArray[np.float64]
    durations_s: NDArray[np.float64]
    stages: Stages
    source: str
    start: datetime | None = None
    counted: bool = False

    def check_belongs(self, epoch_s: float, duration_s: float, start: datetime | None) -> None:
        """Refuse the hypnogram of another recording than the one that begins at `start`.

        Another one begins at another time, scores sleep after the recording's end, or is far too
        short. Raises `UserError` naming both times.
        """
        problem, loose_s = "", LOOSE_EPOCHS * epoch_s
        ends_s = float((self.onsets_s + self.durations_s).max())
        asleep = self.onsets_s[self.stages > 0]
        dated = self.start is not None and start is not None
        if dated and self.start != start:
            problem = f"it starts {self.start}, the recording {start}"
        elif self.counted and abs(ends_s - duration_s) >= epoch_s:
            problem = (
                f"its {len(self.stages)} stages of {epoch_s:g} s last {ends_s:g} s, the recording "
                f"{duration_s:g} s"
            )
        elif len(asleep) and asleep.max() >= duration_s + loose_s:
            problem = (
                f"it scores sleep at {asleep.max():g} s, the recording ends at {duration_s:g} s"
            )
        elif not dated and ends_s < SHORTEST_SHARE * duration_s:
            problem = f"it ends at {ends_s:g} s, the recording at {duration_s:g} s"
        if problem:
            raise UserError(
                f"{self.source}: is not the hypnogram of this recording: {problem}. Pair the right "
                "files; time that nobody scored may be written out as unscored."
            )

    def on(self, epoch_s: float, duration_s: float) -> tuple[float, Stages]:
        """Return where the first epoch begins, in seconds, and the stage of every whole epoch.

        The recording lasts `duration_s`. Its epochs begin with the hypnogram's first span, or whole
        epochs before it. What runs past the recording is cut off, and time without a span is
        unscored (-1).

        Raises `UserError` when a span begins or ends off that grid of epochs, or two spans
        contradict each other.
        """
        phase_s = float(self.onsets_s[0] % epoch_s)
        if epoch_s - phase_s < TOLERANCE_S:
            phase_s = 0.0
        first, last = self._grid(epoch_s, phase_s, duration_s)
        count = max(0, int((duration_s - phase_s + 1e-6) // epoch_s))
        stages = np.full(count, UNSCORED, dtype=np.int8)
        taken = np.zeros(count, dtype=bool)
        for begin, end, stage in zip(first, last, self.stages, strict=True):
            span = slice(begin, end)
            clash = taken[span] & (stages[span] != stage)
            if clash.any():
                at = (span.start + int(np.argmax(clash))) * epoch_s + phase_s
                raise UserError(
                    f"{self.source}: two annotations give different stages at {at:g} s. Mend the "
                    "file so that every epoch has one stage."
                )
            stages[span], taken[span] = stage, True
        return phase_s, stages

    def _grid(
        self, epoch_s: float, phase_s: float, duration_s: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        edges_s = np.stack([self.onsets_s, self.onsets_s + self.durations_s]) - phase_s
        grid = np.round(edges_s / epoch_s)
        inside = edges_s + phase_s < duration_s - TOLERANCE_S  # the rest may end with the recording
        off = inside & (np.abs(edges_s - grid * epoch_s) > TOLERANCE_S)
        if off.any():
            place = int(np.argmax(off.any(axis=0)))
            begin, end = edges_s[:, place] + phase_s
            raise UserError(
                f"{self.source}: the annotation from {begin:g} s to {end:g} s ({off.any(0).sum()} "
                f"of {len(self.stages)} like it) does not fit epochs of {epoch_s:g} s that begin "
                f"at {phase_s:g} s. Set epoch_s to the length that was scored."
            )
        # To the recording first: a duration may be absurd, and no whole number of 64 bits.
        first, last = np.clip(grid, 0, duration_s / epoch_s + 1).astype(np.int64)
        return first, last


def hypnogram(
    spans: Iterable[tuple[float, float, str]], labels: Mapping[str, str], epoch_s: float,
    source: str, start: datetime | None = None, lasting: Lasting | None = None,
) -> Hypnogram:  # fmt: skip
    """Make a hypnogram of (onset in s, duration in s, label) spans.

    `labels` gives labels a meaning, one of `MEANINGS`, besides the `STANDARD_LABELS`; case does not
    matter. Spans without a duration (0) last as `lasting` says.

    Raises `UserError` for labels that have no meaning, listing them and those that have, when
    nothing is scored, and when durations are missing and `lasting` would make a difference.
    """
    spans = sorted(spans, key=lambda span: span[0])
    known = meanings(labels)
    unknown = sorted({label for _, _, label in spans if label.strip().lower() not in known})
    if unknown:
        raise UserError(_no_meaning(source, unknown, labels))
    scored = [
        (onset_s, duration_s, stage)
        for onset_s, duration_s, label in spans
        if (stage := MEANINGS[known[label.strip().lower()]]) is not None
    ]
    if not any(stage >= 0 for _, _, stage in scored):
        raise UserError(f"{source}: no epoch is scored. A hypnogram needs at least one stage.")
    onsets_s = np.array([onset_s for onset_s, _, _ in scored])
    given_s = np.array([duration_s for _, duration_s, _ in scored])
    return Hypnogram(
        onsets_s=onsets_s,
        durations_s=_durations(onsets_s, given_s, epoch_s, lasting, source),
        stages=np.array([stage for _, _, stage in scored], dtype=np.int8),
        source=source,
        start=start,
    )


def meanings(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the meaning, one of `MEANINGS`, of every known label in lower case."""
    return {label.lower(): meaning for label, meaning in (STANDARD_LABELS | dict(labels)).items()}


def _durations(
    onsets_s: NDArray[np.float64], given_s: NDArray[np.float64], epoch_s: float,
    lasting: Lasting | None, source: str,
) -> NDArray[np.float64]:  # fmt: skip
    missing = ~(given_s > 0)
    until_next = np.append(np.diff(onsets_s), epoch_s)
    differ = missing & (np.abs(until_next - epoch_s) > TOLERANCE_S)
    if lasting is None and differ.any():
        at = int(np.argmax(differ))
        raise UserError(
            f"{source}: the stage at {onsets_s[at]:g} s has no duration, and the next one begins "
            f"{until_next[at]:g} s later. Name the column of durations under hypnogram.duration, "
            "or say how long such a stage lasts: hypnogram.lasting: an epoch (the rest is "
            "unscored), or until the next."
        )
    return np.where(missing, epoch_s if lasting == "an epoch" else until_next, given_s)


def _no_meaning(source: str, unknown: list[str], labels: Mapping[str, str]) -> str:
    paste = ", ".join(f"{label!r}: unscored" for label in unknown)
    return (
        f"{source}: labels that mean no stage: {_quoted(unknown)}. Say what they mean under stages "
        f"in a description file, for example stages: {{{paste}}}; meanings are "
        f"{', '.join(MEANINGS)} (ignore: an event, no stage). Known already: "
        f"{_quoted([*labels, *STANDARD_LABELS])}."
    )


def _quoted(labels: Iterable[str]) -> str:
    return ", ".join(repr(label) for label in dict.fromkeys(labels))
