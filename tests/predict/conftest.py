"""A model, and nights that nobody has scored, written on the spot."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sleepsweep.data.edf.writing import write_hypnogram, write_psg
from sleepsweep.evaluation import ModelFile
from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.model import About, Model, _built
from sleepsweep.predict import NightReport, report_on

START = datetime(2020, 2, 3, 22, 45, 30)
EPOCHS = 24


@pytest.fixture(scope="session")
def about() -> Callable[..., About]:
    """What the tests' model is, with some of it changed."""

    def described(**changes: Any) -> About:
        fields: dict[str, Any] = {
            "encoder": EncoderSpec(latent_dim=16), "classifier": "linear",
            "derivations": ("Fpz-Cz",), "sfreq": 100.0, "epoch_s": 30.0, "normalize": "robust",
            "data_hash": "abc", "seen": ("SIM003", "anna"), "test": ("SIM004",),
        }  # fmt: skip
        return About(**{**fields, **changes})

    return described


@pytest.fixture(scope="session")
def model(about: Callable[..., About]) -> Callable[..., Model]:
    """A network whose logits differ enough for several stages to be predicted."""

    def made(**changes: Any) -> Model:
        described = about(**changes)
        network = _built(described).eval()
        draw = torch.Generator().manual_seed(3)
        with torch.no_grad():
            for weight in network.parameters():
                weight.add_(0.1 * torch.randn(weight.shape, generator=draw))
            samples = signal_of().reshape(EPOCHS, 1, -1)
            epochs = torch.from_numpy(samples / samples.std()).float()
            epochs = epochs.repeat(1, len(described.derivations), 1)[..., : samples.shape[-1]]
            linear = network.classifier.linear
            linear.weight.mul_(20)
            linear.bias.sub_(network(epochs).mean(dim=0))
        return Model(described, network)

    return made


@pytest.fixture(scope="session")
def model_file(model: Callable[..., Model], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.safetensors"
    model().save(path)
    return path


def signal_of(epochs: int = EPOCHS, sfreq: float = 100.0, seed: int = 0) -> Any:
    """Noise whose loudness and pitch wander, (time,) in µV."""
    draw = np.random.default_rng(seed)
    time_s = np.arange(round(epochs * 30 * sfreq)) / sfreq
    pitch_hz = 3 + 8 * np.sin(time_s / 200) ** 2
    loudness = 20 + 30 * np.cos(time_s / 300) ** 2
    tone = np.sin(2 * np.pi * np.cumsum(pitch_hz) / sfreq)
    return loudness * (tone + 0.5 * draw.standard_normal(len(time_s)))


@pytest.fixture(scope="session")
def write_night() -> Callable[..., Path]:
    """Write a recording of two derivations."""

    def write(path: Path, epochs: int = EPOCHS, sfreq: float = 100.0, seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        signals = np.stack([signal_of(epochs, sfreq, seed), signal_of(epochs, sfreq, seed + 9)])
        write_psg(path, signals, ["EEG Fpz-Cz", "EEG C3-A2"], sfreq, START)
        return path

    return write


@pytest.fixture
def night(write_night: Callable[..., Path], tmp_path: Path) -> Path:
    return write_night(tmp_path / "nights" / "P07.edf")


@pytest.fixture(scope="session")
def scored() -> Any:
    """Stages of that night as somebody may score them, the last two of them not."""
    stages = np.random.default_rng(5).integers(0, 5, EPOCHS)
    return np.append(stages[:-2], [-1, -1])


@pytest.fixture
def hypnogram(scored: Any, tmp_path: Path) -> Path:
    write_hypnogram(tmp_path / "scored.edf", scored, 30, START)
    return tmp_path / "scored.edf"


@pytest.fixture
def report(
    model: Callable[..., Model], model_file: Path, night: Path, hypnogram: Path
) -> NightReport:
    return report_on(ModelFile(model_file, model()), night, compare=hypnogram)
