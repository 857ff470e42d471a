"""Writes the folder that a model leaves in: everything in it works without sleepsweep's engine."""

import re
from dataclasses import dataclass
from pathlib import Path

from sleepsweep.data.atomic import written_beside
from sleepsweep.errors import UserError
from sleepsweep.evaluation import ModelFile
from sleepsweep.export.card import card
from sleepsweep.export.onnxfile import OnnxFile, check_extra, outputs_of, write_onnx
from sleepsweep.export.samples import simulated_epochs
from sleepsweep.ready import READY_CARD, READY_MODEL
from sleepsweep.replacing import writing
from sleepsweep.tracking.savedmodel import save_onnx_model

ONNX, WEIGHTS, MLFLOW = "model.onnx", "model.safetensors", "mlflow"
EXAMPLE, CARD = "example.py", "README.md"

TRIED = 64
"""Simulated epochs that torch and the ONNX file are compared on."""


@dataclass(frozen=True)
class Exported:
    """An exported model: its folder, and its ONNX file."""

    folder: Path
    onnx: OnnxFile


def export_model(file: ModelFile, out: Path) -> Exported:
    """Write a model into the new folder `out`, whole or not at all.

    ``model.onnx``, ``model.safetensors``, ``mlflow/`` (a model of MLflow's), ``example.py`` (which
    needs numpy and onnxruntime alone) and ``README.md``, the model card. Raises `UserError` where
    something is there, a package is missing, or ONNX cannot express the network.
    """
    check_extra()
    check_free(out)
    model = file.model
    epochs = simulated_epochs(model.about, TRIED)
    with written_beside(out) as partial, writing(out):
        onnx = write_onnx(model, epochs, partial / ONNX)
        model.save(partial / WEIGHTS)
        save_onnx_model(partial / ONNX, partial / MLFLOW, epochs[:1], outputs_of(model))
        example = (Path(__file__).parent / EXAMPLE).read_text(encoding="utf-8")
        (partial / EXAMPLE).write_text(example, encoding="utf-8")
        (partial / CARD).write_text(card(file, onnx), encoding="utf-8")
        if file.path == READY_MODEL:
            text = without_relative_links(READY_CARD.read_text(encoding="utf-8"))
            (partial / READY_CARD.name).write_text(text, encoding="utf-8")
    return Exported(out, onnx)


def without_relative_links(markdown: str) -> str:
    """The words of links into the repository without their paths, which lead nowhere elsewhere."""
    return re.sub(r"\[([^\]]+)\]\((?![a-z]+:|#)[^)]*\)", r"\1", markdown)


def check_free(out: Path) -> None:
    """Raise `UserError` where `out` is a file, or a folder that is not empty."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(f"{out}: is there already. Give a folder that does not exist yet.")
