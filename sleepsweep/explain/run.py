"""Explains a model on the people whom it may be scored on, and writes tables and a page."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.evaluation import ModelFile, People, opened, write_account
from sleepsweep.explain.answers import Answers, Epochs, ask
from sleepsweep.explain.effects import by_subject, effects, whole
from sleepsweep.explain.occlusions import Fill, Occlusion, bands_of, windows_of
from sleepsweep.explain.page import Explained, write_page
from sleepsweep.learn.rows import spread_evenly
from sleepsweep.model import About
from sleepsweep.progress import Progress, silent
from sleepsweep.replacing import replacing, writing

ACCOUNT, PAGE = "explanation.json", "index.html"


@dataclass(frozen=True)
class Plan:
    """What is taken out of whose epochs: windows of `window_s` seconds, filled as `fill` says.

    Of each subject at most `epochs_per_subject` epochs are looked at, spread evenly.
    """

    window_s: float = 2.0
    fill: Fill = "surrogate"
    epochs_per_subject: int = 500

    def occlusions(self, about: About) -> dict[str, tuple[Occlusion, ...]]:
        """Return what is taken out, bands and windows of time.

        Raises `UserError` for windows that an epoch has no two of.
        """
        if not 0.25 <= self.window_s <= about.epoch_s / 2:
            raise UserError(
                f"--window {self.window_s:g}: an epoch has {about.epoch_s:g} s; give between 0.25 "
                f"and {about.epoch_s / 2:g}."
            )
        return {
            "bands": bands_of(about.sfreq),
            "windows": windows_of(about.epoch_s, self.window_s, about.sfreq, self.fill),
        }


def explain_people(
    file: ModelFile, store: Store, people: People, plan: Plan, out: Path,
    progress: Progress = silent, *, named: str | None = None,
) -> Explained:  # fmt: skip
    """Ask the model about epochs of `people`, whole and with bands and windows taken out.

    The page says what the recordings are `named`, which is the store's name if nothing else.
    Writes ``bands.csv``, ``windows.csv``, ``whole.csv``, ``by_subject.csv``, ``index.html`` and an
    account into `out`. Where `people` are test subjects, it is written down first that they are
    opened.
    """
    occlusions = plan.occlusions(file.model.about)
    exam = opened(file, store, people)
    answers = _asked(file, exam, plan, [*occlusions["bands"], *occlusions["windows"]], progress)
    found = effects(answers)
    parts = {
        name: found[found["without"].isin([each.name for each in of_kind])]
        for name, of_kind in occlusions.items()
    }
    explained = Explained(
        title=f"{file.path.stem} on {named or store.folder.name}", whole=whole(answers),
        bands=parts["bands"], windows=parts["windows"], occlusions=occlusions, fill=plan.fill,
    )  # fmt: skip
    tables = {**parts, "whole": explained.whole, "by_subject": by_subject(answers)}
    _write(tables, out)
    write_page(explained, out / PAGE)
    write_account(file, store, people, out / ACCOUNT)
    return explained


def _asked(
    file: ModelFile, exam: Store, plan: Plan, occlusions: list[Occlusion], progress: Progress
) -> Answers:
    def of_each() -> Iterator[Answers]:
        for done, name in enumerate(exam.subjects):
            progress(done, len(exam.subjects), name)
            rows = spread_evenly(exam.rows([name]), plan.epochs_per_subject)
            epochs = Epochs(exam.gather, rows, exam.stages(rows), exam.subjects_of(rows))
            yield ask(file.model.network, epochs, occlusions)

    return Answers.joined([*of_each()])


def _write(tables: dict[str, pd.DataFrame], out: Path) -> None:
    with writing(out):
        for name, table in tables.items():
            with replacing(out / f"{name}.csv") as partial:
                table.to_csv(partial, index=False, float_format="%.6g")
