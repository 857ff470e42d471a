"""A network as ONNX: the same numbers, any number of epochs, small, and nothing of the machine."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sleepsweep.data.npz import read_npz
from sleepsweep.data.recording import prepared
from sleepsweep.errors import UserError
from sleepsweep.evaluation import read_model
from sleepsweep.export import Exported
from sleepsweep.export.onnxfile import _difference, _WithOutputs, write_onnx
from sleepsweep.export.samples import simulated_epochs
from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.model import About, Model, _built
from sleepsweep.ready import READY_MODEL

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text()

onnxruntime = pytest.importorskip("onnxruntime")


def model(
    classifier: str | None = "linear", name: str = "SimpleSleepNet", **changes: object
) -> Model:
    fields = {
        "encoder": EncoderSpec(name=name), "classifier": classifier, "derivations": ("Fpz-Cz",),
        "sfreq": 100.0, "epoch_s": 30.0, "normalize": "robust", "data_hash": "abc",
        "seen": ("a",), "test": ("b",),
    }  # fmt: skip
    about = About.model_validate({**fields, **changes})
    return Model(about, _built(about).eval())


@pytest.mark.parametrize(
    ("classifier", "name", "changes"),
    [
        ("linear", "SimpleSleepNet", {}),
        (None, "DilatedSleepNet", {"derivations": ("Fpz-Cz", "Pz-Oz"), "sfreq": 64.0}),
        ("mlp", "SimpleSleepNet", {"epoch_s": 20.0, "sfreq": 128.0, "normalize": "zscore"}),
    ],
)
def test_it_says_what_torch_says_of_any_number_of_epochs(
    tmp_path: Path, classifier: str | None, name: str, changes: dict[str, object]
) -> None:
    made = model(classifier, name, **changes)
    written = write_onnx(made, simulated_epochs(made.about, 8), tmp_path / "model.onnx")
    assert written.difference < 1e-4
    session = onnxruntime.InferenceSession(written.path, providers=["CPUExecutionProvider"])
    samples = round(made.about.sfreq * made.about.epoch_s)
    for count in (1, 3):
        epochs = 5 * torch.randn(count, len(made.about.derivations), samples)
        found = session.run(None, {"epochs": epochs.numpy()})
        with torch.inference_mode():
            embeddings = made.encoder(epochs).numpy()
            logits = made.network(epochs)
        assert np.abs(found[-1] - embeddings).max() < 1e-4
        if classifier:
            assert np.abs(found[0] - logits.softmax(dim=-1).numpy()).max() < 1e-4
            assert np.allclose(found[0].sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("classifier", "most"), [(None, 1e6), ("linear", 1e6), ("mlp", 1.15e6)])
def test_the_published_encoder_takes_less_than_a_megabyte(
    tmp_path: Path, classifier: str | None, most: float
) -> None:
    made = model(classifier)
    written = write_onnx(made, simulated_epochs(made.about, 2), tmp_path / "model.onnx")
    assert written.size == (tmp_path / "model.onnx").stat().st_size < most
    # Parameters, their size and that of the file stand in docs/export.md.
    parameters = sum(weight.numel() for weight in made.network.parameters())
    (told,) = re.findall(rf"\| {parameters:,} \| ([\d,]+) \|", PAGE)
    assert written.size == pytest.approx(int(told.replace(",", "")), rel=0.01)


def test_the_file_tells_what_it_takes_and_nothing_of_people_or_machines(exported: Exported) -> None:
    path = exported.folder / "model.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map
    assert {key: json.loads(value) for key, value in told.items()} == {
        "derivations": ["Fpz-Cz"], "sfreq": 100.0, "epoch_s": 30.0, "normalize": "robust",
        "stages": ["W", "N1", "N2", "N3", "R"],
    }  # fmt: skip
    content = path.read_bytes()
    for trace in (b".py", b"site-packages", b"SIM00", str(Path.home()).encode() + b"/"):
        assert trace not in content


def test_simulated_epochs_are_such_as_the_model_takes() -> None:
    about = model(derivations=("A", "B", "C", "D"), sfreq=128.0, epoch_s=20.0).about
    epochs = simulated_epochs(about, 12)
    assert epochs.shape == (12, 4, 2560)
    assert epochs.dtype == np.float32
    assert np.isfinite(epochs).all()
    assert 0.3 < np.median(np.abs(epochs)) < 1.5
    assert len({epochs[0, channel].tobytes() for channel in range(4)}) == 4
    assert np.array_equal(epochs, simulated_epochs(about, 12))


class Broken(nn.Module):
    """A network one of whose outputs is not that of its file."""

    def __init__(self, network: nn.Module, place: int, change: float) -> None:
        super().__init__()
        self.network, self.place, self.change = network, place, change

    def forward(self, epochs: Tensor) -> tuple[Tensor, ...]:
        outputs = [*self.network(epochs)]
        # In the last epoch alone, which is not the one that is asked for by itself.
        outputs[self.place] = outputs[self.place].clone()
        outputs[self.place][-1] += self.change
        return tuple(outputs)


@pytest.mark.parametrize("place", [0, 1])
def test_the_largest_difference_is_found_in_any_output_and_nan_in_none_passed_over(
    tmp_path: Path, place: int
) -> None:
    made = model()
    epochs = simulated_epochs(made.about, 4)
    path = write_onnx(made, epochs, tmp_path / "model.onnx").path
    network = _WithOutputs(made).eval()
    assert _difference(network, epochs, path) < 1e-4
    assert _difference(Broken(network, place, 0.5), epochs, path) == pytest.approx(0.5, abs=1e-4)
    assert np.isnan(_difference(Broken(network, place, float("nan")), epochs, path))


def test_a_network_that_diverged_is_refused(tmp_path: Path) -> None:
    made = model()
    with torch.no_grad():
        next(made.network.parameters()).fill_(float("nan"))
    with pytest.raises(UserError, match=r"gives no numbers \(NaN\).*diverged"):
        write_onnx(made, simulated_epochs(made.about, 2), tmp_path / "model.onnx")


def test_real_epochs_too_are_what_torch_says(shared_data: Path, tmp_path: Path) -> None:
    made = read_model(READY_MODEL, classifier=True).model
    about = made.about
    night = read_npz(shared_data / "ucddb" / "ucddb018.npz", about.epoch_s)
    ready = prepared(night, sfreq=about.sfreq, normalize=about.normalize, wake_crop_min=None)
    epochs = ready.recording.epochs
    assert len(epochs) == 822
    path = write_onnx(made, simulated_epochs(about, 4), tmp_path / "model.onnx").path
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    probabilities, embeddings = session.run(None, {"epochs": epochs})
    with torch.inference_mode():
        expected = made.network(torch.from_numpy(epochs)).softmax(dim=-1).numpy()
        encoded = made.encoder(torch.from_numpy(epochs)).numpy()
    assert np.abs(probabilities - expected).max() < 1e-4
    assert np.abs(embeddings - encoded).max() < 1e-4
    assert set(expected.argmax(axis=1)) == {0, 1, 2, 3, 4}


class Undecided(nn.Module):
    """An encoder that goes by its input's values, which no graph can express."""

    def __init__(self, channels: int, latent_dim: int, dropout: float) -> None:
        super().__init__()
        self.line = nn.Linear(3000, latent_dim)

    def forward(self, epochs: Tensor) -> Tensor:
        if float(epochs.mean()) > 0:
            return self.line(epochs[:, 0])
        return -self.line(epochs[:, 0])


class Own(nn.Module):
    """An encoder of one's own, as docs/own-encoder.md has it."""

    def __init__(self, channels: int, latent_dim: int, dropout: float) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(channels, 32, kernel_size=50, stride=10)
        self.head = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(32, latent_dim))

    def forward(self, epochs: Tensor) -> Tensor:
        return self.head(self.convolution(epochs).mean(dim=-1))


@pytest.fixture
def at_path(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[nn.Module]], str]:
    """Make a class importable, and return its path."""

    def place(kind: type[nn.Module]) -> str:
        import sys
        import types

        module = types.ModuleType("somebodys")
        setattr(module, kind.__name__, kind)
        monkeypatch.setitem(sys.modules, "somebodys", module)
        return f"somebodys.{kind.__name__}"

    return place


def test_an_encoder_of_ones_own_is_written_where_onnx_can(
    tmp_path: Path, at_path: Callable[..., str]
) -> None:
    made = model(None, at_path(Own))
    written = write_onnx(made, simulated_epochs(made.about, 4), tmp_path / "model.onnx")
    assert written.outputs == ("embeddings",)


def test_and_refused_with_a_reason_where_it_cannot(
    tmp_path: Path, at_path: Callable[..., str]
) -> None:
    made = model(None, at_path(Undecided))
    with pytest.raises(UserError, match=r"somebodys\.Undecided, a class of your own: cannot be"):
        write_onnx(made, simulated_epochs(made.about, 4), tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
