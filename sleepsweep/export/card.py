"""The model card: what a network is, how it was trained, what it is worth, its limits."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import sleepsweep
from sleepsweep.evaluation import ACCOUNT, ModelFile
from sleepsweep.experiment.folder import DONE, ExperimentFolder
from sleepsweep.experiment.page import FEW, MEASURES, SCORED, cell, facts_of
from sleepsweep.export.onnxfile import EXTRA, OnnxFile, outputs_of
from sleepsweep.metrics import STAGES
from sleepsweep.ready import READY_MODEL

OF_MODEL = {
    "encoder": ("probe", "test/probe"),
    "probe": ("probe", "test/probe"),
    "finetuned": ("finetune", "test/finetune"),
}
"""By a model file's name: the folders of its experiment that hold scores of it."""

SUBJECT_COLUMNS = {
    "epochs": "epochs", "accuracy": "accuracy", "macro_f1": "macro-F1", "kappa": "Cohen’s κ"
}  # fmt: skip
"""Columns of the table of subjects, and what they are called."""


@dataclass(frozen=True)
class Scored:
    """Scores on the card: measures and stages with their intervals, and a row a subject."""

    name: str
    subjects: int
    overall: Mapping[str, str]
    by_stage: Mapping[str, tuple[int, str]]
    by_subject: Mapping[str, tuple[str, ...]]


def card(file: ModelFile, onnx: OnnxFile) -> str:
    """Return the card of a model as Markdown, with what its experiment's folder says of it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["md"] = escaped
    model, folder = file.model, file.experiment
    manifest = folder.read_manifest() if folder else None
    return environment.get_template("card.md.j2").render(
        name=f"{manifest['spec']['name']}: {file.path.stem}" if manifest else file.path.stem,
        question=manifest["spec"]["question"] if manifest else None,
        facts=dict(_shared(manifest)) if manifest else {},
        policy=yaml.safe_dump(manifest["spec"]["policy"], sort_keys=False) if manifest else None,
        about=model.about,
        samples=round(model.about.sfreq * model.about.epoch_s),
        parameters=sum(weight.numel() for weight in model.network.parameters()),
        outputs=outputs_of(model), onnx=onnx, stages=STAGES, measures=MEASURES,
        columns=list(SUBJECT_COLUMNS.values()),
        scores=list(_scores(file, folder)) if folder else [],
        own_card=file.path == READY_MODEL,
        few=FEW,
        version=sleepsweep.__version__, extra=EXTRA,
    )  # fmt: skip


def escaped(text: object) -> str:
    """`text` on one line, with nothing in it that Markdown or HTML would read."""
    return re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", " ".join(str(text).split()))


def _shared(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What an experiment says of itself, but for what the card has, and where its data lie."""
    for name, words in facts_of(manifest):
        if name != "Encoder":
            yield name, Path(words).name if name == "Data" else words


def _scores(file: ModelFile, folder: ExperimentFolder) -> Iterator[Scored]:
    done = folder.read_manifest()[DONE]
    for place in OF_MODEL.get(file.path.stem, ()):
        if place.split("/")[0] in done and (folder.path / place / "overall.csv").exists():
            yield _scored(folder.path / place, SCORED[place])
    for account in sorted(folder.path.glob(f"evaluations/*/{ACCOUNT}")):
        told = json.loads(account.read_text())
        # By what is in the file: after another training the same name is another network.
        if told.get("model_sha256") == file.digest:
            yield _scored(account.parent, f"Evaluated on {Path(told['store']).name}")


def _scored(place: Path, name: str) -> Scored:
    overall, by_stage, by_subject = (
        pd.read_csv(place / f"{table}.csv", index_col=0, keep_default_na=table != "by_subject",
                    dtype={0: str})
        for table in ("overall", "by_stage", "by_subject")
    )  # fmt: skip
    return Scored(
        name=name,
        subjects=len(by_subject),
        overall={str(key): cell(row, "value") for key, row in overall.iterrows()},
        by_stage={str(k): (int(row["epochs"]), cell(row, "f1")) for k, row in by_stage.iterrows()},
        by_subject={str(key): tuple(_row(row)) for key, row in by_subject.iterrows()},
    )


def _row(row: Any) -> Iterator[str]:
    for name in SUBJECT_COLUMNS:
        value = pd.to_numeric(row[name], errors="coerce")
        if name == "epochs":
            yield f"{int(value):,}"
        else:
            yield "–" if value != value else f"{100 * value:.1f}".replace("-", "−")
