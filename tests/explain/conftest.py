"""Epochs whose stages differ in one frequency band alone, and a small network that learned them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sleepsweep.explain.answers import Epochs
from sleepsweep.explain.occlusions import bands_of
from sleepsweep.learn.classifiers import build_classifier
from sleepsweep.learn.encoders import Encoder
from sleepsweep.learn.encoders.convolution import head, stage
from sleepsweep.learn.finetune import FinetuneSpec, Labelled, fine_tune
from sleepsweep.learn.staging import Staging

SFREQ, EPOCH_S = 100.0, 6.0
SUBJECTS, EACH = 6, 60


class Small(Encoder, abstract=True):
    """Filters of half a second, and the logarithm of what they let through: a band-power net."""

    def __init__(self) -> None:
        super().__init__(latent_dim=16)
        self.filters = nn.Conv1d(1, 24, 64, stride=4, bias=False)
        self.head = nn.Sequential(nn.BatchNorm1d(24), nn.Linear(24, 16))

    def features(self, epochs: Tensor) -> Tensor:
        """Map epochs (batch, 1, time) to features (batch, 16)."""
        power = self.filters(epochs).square().mean(dim=-1)
        return self.head((power + 1e-3).log())


class Convolutional(Encoder, abstract=True):
    """The shape of the study's encoder, small."""

    def __init__(self) -> None:
        super().__init__(latent_dim=16)
        layers = stage(1, 24, 64, 0.0, stride=4, padding=0, dilation=1, bias=False)
        self.convolutions = nn.Sequential(*layers)
        self.head = head(24, 16, 0.0)

    def features(self, epochs: Tensor) -> Tensor:
        """Map epochs (batch, 1, time) to features (batch, 16)."""
        return self.head(self.convolutions(epochs).mean(dim=-1))


KINDS: dict[str, Callable[[], Encoder]] = {"Small": Small, "Convolutional": Convolutional}


@dataclass(frozen=True)
class Planted:
    """Epochs to ask about, of people whom the network was not trained on, and that network."""

    network: Staging
    epochs: Epochs


def signals(band: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise falling with frequency, the same in all stages but for its amplitude in one band."""
    draw = np.random.default_rng(seed)
    stages = np.tile(np.arange(5), SUBJECTS * EACH // 5)
    samples = round(SFREQ * EPOCH_S)
    frequencies = np.fft.rfftfreq(samples, 1 / SFREQ)
    (planted,) = [each for each in bands_of(SFREQ) if each.name == band]
    inside = (frequencies >= planted.low_hz) & (frequencies < planted.high_hz)
    spectrum = np.fft.rfft(draw.normal(size=(len(stages), samples)))
    spectrum /= np.maximum(frequencies, 0.5) ** 0.5
    gain = np.where(inside, 0.4 * 1.8 ** stages[:, None], 1.0)
    epochs = np.fft.irfft(spectrum * gain, n=samples)
    return (epochs / epochs.std()).astype(np.float32)[:, None], stages.astype(np.int8)


def trained(encoder: Encoder, epochs: np.ndarray, stages: np.ndarray, steps: int) -> Staging:
    network = Staging(encoder, build_classifier("linear", 16, 0.0, weights_seed=0))
    spec = FinetuneSpec(
        classifier="linear", dropout=0.0, steps=steps, batch_size=60, learning_rate=0.01
    )
    rows = np.arange(len(stages))
    labelled = Labelled(lambda some: epochs[some], lambda some: stages[some], rows)
    fine_tune(network, spec, labelled, {"seed": 0}, validation=labelled, on_check=lambda _: None)
    return network.eval()


@pytest.fixture(scope="session")
def planted() -> Callable[..., Planted]:
    """Return a network trained on stages that differ in `band` alone, and epochs of others."""

    def make(band: str, kind: str = "Small", steps: int = 150) -> Planted:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            encoder = KINDS[kind]()
        network = trained(encoder, *signals(band, seed=0), steps)
        epochs, stages = signals(band, seed=1)
        names = np.repeat([f"P{place}" for place in range(SUBJECTS)], EACH)
        rows = np.arange(len(stages))
        return Planted(network, Epochs(lambda some: epochs[some], rows, stages, names))

    return make
