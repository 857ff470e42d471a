"""The page of an experiment: what it found so far, in one HTML file."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sleepsweep import webpage
from sleepsweep.experiment.folder import DONE, ExperimentFolder
from sleepsweep.experiment.policy import PolicySpec
from sleepsweep.experiment.spec import STAGES as ORDER
from sleepsweep.folder.studyfolder import OPENED
from sleepsweep.latent import LABELS
from sleepsweep.latent import MEASURES as MEASURED
from sleepsweep.metrics import STAGES
from sleepsweep.trial import text_of

PAGE = "index.html"
SCORED = {
    "probe": "Probe, validation",
    "finetune": "Fine-tuned, validation",
    "test/probe": "Probe, test",
    "test/finetune": "Fine-tuned, test",
}
"""Where a staging's files are, and what it is called."""

MEASURES = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro-F1, epochs pooled",
    "macro_f1_of_subjects": "Macro-F1, mean of subjects",
    "kappa": "Cohen’s κ",
}
COURSES = {
    "pretraining": ("Pretraining", {"loss": "training", "validation_loss": "validation"}),
    "finetuning": ("Fine-tuning", {"loss": "training loss", "macro_f1": "validation macro-F1"}),
}
FEW = 5
"""Of fewer subjects an interval says little."""


@dataclass(frozen=True)
class Staging:
    """A staging on the page: cells by measure and by stage, and its confusion matrix."""

    name: str
    overall: Mapping[str, str]
    by_stage: Mapping[str, str]
    confusion: str
    subjects: int


def write_page(folder: ExperimentFolder) -> None:
    """Write ``index.html`` from what the folder holds. Raises `UserError` if it cannot."""
    webpage.write(html(folder), folder.path / PAGE)


def html(folder: ExperimentFolder) -> str:
    """The whole page as text."""
    manifest, path = folder.read_manifest(), folder.path
    spec, done = manifest["spec"], manifest[DONE]
    stagings = list(_stagings(path, done))
    return webpage.render(
        Path(__file__).parent / "templates",
        spec=spec,
        facts=dict(facts_of(manifest)),
        stagings=stagings,
        chosen=spec["finetune"]["check_interval"] is not None and "finetune" in done,
        few=any(1 < staging.subjects < FEW for staging in stagings),
        measures=MEASURES,
        stages=STAGES,
        done={stage: done[stage] for stage in ORDER if stage in done},
        courses=[title for name, (title, _) in COURSES.items() if (path / f"{name}.csv").exists()],
        latent=_latent(path, done["latent"]) if "latent" in done else None,
        opened=[entry["time"] for entry in manifest[OPENED]],
        data={"courses": list(_courses(path))},
    )


def facts_of(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What an experiment's manifest says of its data and training: a name, and words on it."""
    spec, subjects = manifest["spec"], manifest["subjects"]
    yield "Data", str(spec["data"]["root"] or spec["data"]["source"])
    yield "Subjects", ", ".join(f"{part} {len(people)}" for part, people in subjects.items())
    yield "Encoder", f"{spec['encoder']['name']}, {spec['encoder']['latent_dim']} dimensions"
    yield "Policy", _policy_text(spec["policy"])
    if "pretrain" in manifest[DONE]:
        yield "Pretraining", _course_text(manifest[DONE]["pretrain"], spec["pretrain"])
    if "finetune" in manifest[DONE]:
        tuned, found = spec["finetune"], manifest[DONE]["finetune"]
        yield (
            "Fine-tuning",
            (
                f"{found['steps']} steps of {tuned['batch_size']} epochs; encoder's layers: "
                f"{tuned['layers']}; classifier: {tuned['classifier']}"
            ),
        )


def _course_text(found: Mapping[str, Any], pretrain: Mapping[str, Any]) -> str:
    ended = {
        "complete": "", "no_improvement": ", stopped as the validation loss fell no more",
        "collapsed": ", collapsed", "diverged": ", diverged",
    }[found["ended"]]  # fmt: skip
    steps, kept = found["steps"], found["kept_step"]
    kept_text = "" if kept == steps else f"; the network of step {kept} is kept"
    return (
        f"{steps} steps of {pretrain['batch_size']} epochs{ended}{kept_text}; "
        f"{found['epochs_per_s']:.0f} epochs a second, at most {found['memory_mib']:.0f} MiB"
    )


def _policy_text(policy: Any) -> str:
    from pydantic import TypeAdapter

    return text_of(TypeAdapter(PolicySpec).validate_python(policy), None)


def _stagings(path: Path, done: Mapping[str, Any]) -> Iterator[Staging]:
    for place, name in SCORED.items():
        if place.split("/")[0] not in done or not (path / place / "overall.csv").exists():
            continue
        overall, by_stage = (
            pd.read_csv(path / place / f"{table}.csv", index_col=0)
            for table in ("overall", "by_stage")
        )
        yield Staging(
            name=name,
            overall={str(key): cell(row, "value") for key, row in overall.iterrows()},
            by_stage={str(key): cell(row, "f1") for key, row in by_stage.iterrows()},
            confusion=_data_uri(path / place / "confusion.png"),
            subjects=int(overall["subjects"].iloc[0]),
        )


def cell(row: Any, value: str) -> str:
    """A score of a row in points, with its interval in brackets; a dash where there is none."""
    if row[value] != row[value]:
        return "–"
    points, low, high = (_number(100 * row[key], 1) for key in (value, "low", "high"))
    return f"{points} (no interval)" if row["low"] != row["low"] else f"{points} ({low} to {high})"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _latent(path: Path, found: Mapping[str, Any]) -> dict[str, Any]:
    pictures = {
        name: _data_uri(path / "latent" / f"{kind}.png")
        for kind, name in LABELS.items()
        if (path / "latent" / f"{kind}.png").exists()
    }
    told = {each.label: _number(found[key], 3) for key, each in MEASURED.items() if key in found}
    return {"pictures": pictures, "page": "latent/index.html", "measures": told}


def _courses(path: Path) -> Iterator[dict[str, Any]]:
    for name, (title, lines) in COURSES.items():
        if not (path / f"{name}.csv").exists():
            continue
        table = pd.read_csv(path / f"{name}.csv")
        # JSON has neither NaN nor infinity: a line has a gap there.
        numbers = table[list(lines)].astype(float)
        values = numbers.astype(object).where(np.isfinite(numbers), None)
        yield {
            "title": title,
            "steps": table["step"].tolist(),
            "lines": {said: values[column].tolist() for column, said in lines.items()},
        }


def _data_uri(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
