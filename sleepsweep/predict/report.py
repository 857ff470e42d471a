"""A night from its file to all that is told of it."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sleepsweep.data.edf.header import read_header
from sleepsweep.data.names import person_of
from sleepsweep.evaluation import ModelFile
from sleepsweep.metrics import STAGES
from sleepsweep.predict.agreement import Agreement, agreement_with, read_reference
from sleepsweep.predict.night import read_night
from sleepsweep.predict.prediction import Prediction, predict
from sleepsweep.predict.statistics import sleep_statistics
from sleepsweep.ready import READY, READY_MODEL

LONG_H = 3.0
"""Of less, a recording's own scale is not a night's."""

UNSURE = 0.5
"""Below this probability of its stage, the model is not sure of an epoch."""


@dataclass(frozen=True)
class NightReport:
    """A prediction, and how it agrees with a reference where there is one.

    `model` names the model; `trained_on` and `tested_on` are the subject of the model whose name
    the file bears, of those that it has seen and of those that were set aside.
    """

    model: str
    prediction: Prediction
    agreement: Agreement | None
    trained_on: str | None
    tested_on: str | None

    @property
    def heading(self) -> str:
        """One line: which night, of which derivation, by which model."""
        night = self.prediction.night
        return f"{night.path.name}, {', '.join(night.derivations)}, by {Path(self.model).name}"

    @property
    def unsure(self) -> str:
        """Of how many epochs the model is not sure."""
        confidence = self.prediction.confidence[self.prediction.known]
        count = int((confidence < UNSURE).sum())
        share = f"{100 * count / len(confidence):.0f} %"
        return f"{count:,} epochs ({share}), with a confidence below {100 * UNSURE:g} %"

    @property
    def statistics(self) -> Mapping[str, Mapping[str, float]]:
        """Sleep statistics: `predicted`, and `reference` where there is one (`Agreement`)."""
        if self.agreement is not None:
            return self.agreement.statistics()
        prediction = self.prediction
        return {"predicted": sleep_statistics(prediction.stages, prediction.night.epoch_s)}

    def notes(self) -> list[str]:
        """Sentences that a reader must know before believing the numbers."""
        return [*self._of_whom(), *self._of_what()]

    def _of_whom(self) -> Iterator[str]:
        if self.trained_on:
            yield (
                f"Trained on: the file bears the name of {self.trained_on}, a subject that the "
                "model has seen. Of the same person, this says nothing of how it does on others."
            )
        if self.tested_on:
            yield f"The model has not seen {self.tested_on}, who was set aside as a test."

    def _of_what(self) -> Iterator[str]:
        night = self.prediction.night
        if night.count * night.epoch_s < LONG_H * 3600:
            yield (
                f"Less than {LONG_H:g} hours: a recording is scaled by its own spread, which is "
                "then not that of a night."
            )
        if left := night.count - len(night.positions):
            why = ", ".join(f"{n} {name}" for name, n in night.dropped.by_reason().items() if n)
            yield f"Without a stage: {left} epochs that cannot be used ({why})."
        if self.agreement is not None:
            yield "One night: there is no interval, and another night may differ a lot."

    def as_json(self) -> dict[str, Any]:
        """All of it but the epochs, as plain values; what is no number is None."""
        night, agreement = self.prediction.night, self.agreement
        compared = agreement and {
            "reference": agreement.source, "epochs": agreement.epochs,
            **_plain(agreement.measures()), "confusion": agreement.matrix.tolist(),
            "interval": None,
        }  # fmt: skip
        return {
            "night": str(night.path), "model": self.model, "derivations": list(night.derivations),
            "sfreq": night.sfreq, "epoch_s": night.epoch_s, "epochs": night.count,
            "first_s": night.first_s, "dropped": asdict(night.dropped),
            "stages": {s: int((self.prediction.stages == n).sum()) for n, s in enumerate(STAGES)},
            "statistics": {name: _plain(each) for name, each in self.statistics.items()},
            "agreement": compared, "trained_on": self.trained_on, "notes": self.notes(),
        }  # fmt: skip


def report_on(
    file: ModelFile, path: Path, derivations: Sequence[str] | None = None, *,
    compare: Path | None = None, description: Path | None = None, strangers: bool = False,
) -> NightReport:  # fmt: skip
    """Predict the night at `path` with a model, and compare with the hypnogram at `compare`.

    Its epochs are then those of the hypnogram. `description` says how that is read; `strangers`
    that whoever bears the name of a subject of the model is somebody else. Raises `UserError` for
    files that cannot be used.
    """
    about, first_s, reference = file.model.about, 0.0, None
    if compare is not None:
        reference = read_reference(compare, path, about.epoch_s, description)
        first_s, _ = reference.on(about.epoch_s, read_header(path).duration_s)
    prediction = predict(file.model, read_night(path, about, derivations, first_s))
    return NightReport(
        model=READY if file.path == READY_MODEL else str(file.path),
        prediction=prediction,
        agreement=None if reference is None else agreement_with(reference, prediction),
        trained_on=None if strangers else _bearing(path, about.seen),
        tested_on=None if strangers else _bearing(path, about.test),
    )


def _bearing(path: Path, subjects: Sequence[str]) -> str | None:
    """The subject whose name a file bears, by what names tell or as a word of its own."""
    person = person_of(path.name)
    for subject in subjects:
        word = rf"(?<![a-z0-9]){re.escape(subject)}(?![a-z0-9])"
        if (person and person[0] == subject) or re.search(word, path.stem, re.IGNORECASE):
            return subject
    return None


def _plain(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: round(v, 6) if math.isfinite(v) else None for name, v in values.items()}
