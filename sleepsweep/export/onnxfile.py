"""A network as an ONNX file, compared with torch before anybody is handed it."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import sleepsweep
from sleepsweep.errors import UserError
from sleepsweep.learn.encoderspec import is_path
from sleepsweep.learn.staging import Staging
from sleepsweep.metrics import STAGES
from sleepsweep.model import Model

Epochs = NDArray[np.float32]

TOLERANCE = 1e-4
"""How far the file's outputs may lie from torch's."""

INPUT, PROBABILITIES, EMBEDDINGS = "epochs", "probabilities", "embeddings"

EXTRA = 'pip install "sleepsweep[export]"'


@dataclass(frozen=True)
class OnnxFile:
    """What was written: names of the outputs, bytes, and the largest difference from torch."""

    path: Path
    outputs: tuple[str, ...]
    size: int
    difference: float


class _WithOutputs(nn.Module):
    """Epochs in; probabilities of the stages, where there is a classifier, and embeddings out."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.encoder = model.encoder
        self.classifier = model.network.classifier if isinstance(model.network, Staging) else None

    def forward(self, epochs: Tensor) -> tuple[Tensor, ...]:
        embeddings = self.encoder(epochs)
        if self.classifier is None:
            return (embeddings,)
        return self.classifier(embeddings).softmax(dim=-1), embeddings


def check_extra() -> None:
    """Raise `UserError` where the packages that write and run ONNX are not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"export: {error.name} is not installed, which writes or runs ONNX. {EXTRA}"
        ) from error


def outputs_of(model: Model) -> dict[str, int]:
    """The outputs of a model's ONNX file, and how wide each is."""
    width = {EMBEDDINGS: model.about.encoder.latent_dim}
    if isinstance(model.network, Staging):
        return {PROBABILITIES: len(STAGES), **width}
    return width


def write_onnx(model: Model, epochs: Epochs, path: Path) -> OnnxFile:
    """Write a model to `path`, and compare it with torch on `epochs` (epoch, channel, time).

    The file takes any number of epochs at once, normalised as the model's own. Raises `UserError`
    for an encoder that ONNX has no words for, where its numbers are none, and where the two differ
    by more than 1e-4.
    """
    import onnx

    network, names = _WithOutputs(model).eval(), tuple(outputs_of(model))
    onnx.save(_described(_exported(network, epochs, names, model), model), path)
    difference = _difference(network, epochs, path)
    _check_same(difference, model)
    return OnnxFile(path, names, path.stat().st_size, difference)


def _check_same(difference: float, model: Model) -> None:
    if np.isnan(difference):
        raise UserError(
            f"{model.about.encoder.name}: the network gives no numbers (NaN) for simulated epochs, "
            "so that its training has diverged. Nothing was written; train it again with a lower "
            "learning_rate."
        )
    if difference > TOLERANCE:
        raise UserError(
            f"{model.about.encoder.name}: as ONNX its outputs differ from torch's by up to "
            f"{difference:.1g}, and {TOLERANCE:g} is allowed. Nothing was written."
        )


def _exported(network: nn.Module, epochs: Epochs, names: tuple[str, ...], model: Model) -> Any:
    # Of one epoch torch would take the batch for a constant.
    example = torch.from_numpy(epochs[:2])
    try:
        with _quiet():
            program = torch.onnx.export(
                network, (example,), dynamo=True, input_names=[INPUT], output_names=list(names),
                dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False,
            )  # fmt: skip
    except torch.onnx.OnnxExporterError as error:
        own = ", a class of your own" if is_path(model.about.encoder.name) else ""
        raise UserError(
            f"encoder {model.about.encoder.name}{own}: cannot be written as ONNX: it does "
            f"something that torch.onnx.export does not know ({_reason(error)})."
        ) from error
    assert program is not None
    return program.model_proto


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return next(iter(str(error).splitlines()), type(error).__name__)


def _described(proto: Any, model: Model) -> Any:
    """Say in the file what its input is, and take out the paths of the machine that wrote it."""
    from onnx import helper

    about = model.about
    for part in (*proto.graph.node, *proto.graph.value_info, proto.graph):
        del part.metadata_props[:]
    proto.doc_string = "Stages of sleep from EEG, for research; not a medical device."
    proto.producer_name, proto.producer_version = "sleepsweep", sleepsweep.__version__
    told = {
        "derivations": about.derivations, "sfreq": about.sfreq, "epoch_s": about.epoch_s,
        "normalize": about.normalize, "stages": STAGES,
    }  # fmt: skip
    helper.set_model_props(proto, {key: json.dumps(value) for key, value in told.items()})
    return proto


def _difference(network: nn.Module, epochs: Epochs, path: Path) -> float:
    import onnxruntime

    with torch.inference_mode():
        expected = [output.numpy() for output in network(torch.from_numpy(epochs))]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    # Another number of epochs than the file was made with, and one alone.
    found = session.run(None, {INPUT: epochs})
    alone = session.run(None, {INPUT: epochs[:1]})
    pairs = [*zip(found, expected, strict=True)]
    pairs += [(one, whole[:1]) for one, whole in zip(alone, expected, strict=True)]
    # By numpy, as Python's own max passes over a NaN that does not come first.
    return float(np.max([np.abs(one - other).max() for one, other in pairs]))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch from telling which of its other packages are not installed."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
