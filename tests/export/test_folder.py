"""An exported folder: what is in it, that it is the same network, and what it can do without."""

import re
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sleepsweep.errors import UserError
from sleepsweep.evaluation import ModelFile, read_model
from sleepsweep.export import Exported, export_model, onnxfile
from sleepsweep.export.folder import without_relative_links
from sleepsweep.model import Model

Run = Callable[..., subprocess.CompletedProcess[str]]

BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocker())
"""


def python(code: str, *arguments: str, blocked: set[str]) -> str:
    """Run code in another Python where some packages are as good as not installed."""
    whole = BLOCKER.format(blocked=blocked) + code
    run = subprocess.run(
        [sys.executable, "-c", whole, *arguments], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_what_is_written(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"README.md", "example.py", "mlflow", "model.onnx", "model.safetensors"}
    files = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert files == {".md", ".py", ".onnx", ".safetensors", ".json", ".yaml", ".txt", ""}
    assert [path.name for path in folder.rglob("*") if path.is_file() and not path.suffix] == [
        "MLmodel"
    ]


def test_mlflow_loads_it_and_it_says_the_same(finetuned: ModelFile, folder: Path) -> None:
    import mlflow.pyfunc

    loaded = mlflow.pyfunc.load_model(str(folder / "mlflow"))
    epochs = np.random.default_rng(0).normal(size=(5, 1, 3000)).astype(np.float32)
    with torch.inference_mode():
        embeddings = finetuned.model.encoder(torch.from_numpy(epochs))
        expected = finetuned.model.network(torch.from_numpy(epochs)).softmax(dim=-1)
    for given in (epochs, {"epochs": epochs}):
        told = loaded.predict(given)
        assert np.abs(told["probabilities"] - expected.numpy()).max() < 1e-4
        assert np.abs(told["embeddings"] - embeddings.numpy()).max() < 1e-4
    signature = loaded.metadata.signature
    assert [spec.shape for spec in signature.inputs.inputs] == [(-1, 1, 3000)]
    assert [spec.name for spec in signature.outputs.inputs] == ["probabilities", "embeddings"]
    assert loaded.input_example["epochs"].shape == (1, 1, 3000)
    with pytest.raises(mlflow.exceptions.MlflowException, match="shape"):
        loaded.predict({"epochs": epochs[:, :, :100]})


def test_the_weights_are_read_without_ray_mlflow_and_optuna(
    finetuned: ModelFile, folder: Path, tmp_path: Path
) -> None:
    epochs = np.random.default_rng(1).normal(size=(3, 1, 3000)).astype(np.float32)
    np.save(tmp_path / "epochs.npy", epochs)
    code = """
import numpy as np, torch
from pathlib import Path
from sleepsweep.model import Model
model = Model.load(Path(sys.argv[1]))
with torch.inference_mode():
    np.save(sys.argv[3], model.network(torch.from_numpy(np.load(sys.argv[2]))).numpy())
"""
    blocked = {"ray", "mlflow", "optuna", "onnx", "onnxruntime", "typer"}
    paths = (folder / "model.safetensors", tmp_path / "epochs.npy", tmp_path / "logits.npy")
    python(code, *map(str, paths), blocked=blocked)
    with torch.inference_mode():
        expected = finetuned.model.network(torch.from_numpy(epochs)).numpy()
    # Its process may have another number of threads, which sum in another order.
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected, atol=1e-6)
    assert Model.load(folder / "model.safetensors").about == finetuned.model.about


def test_the_snippet_of_the_card_gives_the_encoder(
    finetuned: ModelFile, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", (folder / "README.md").read_text(), re.M | re.S)
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(code, names)
    epochs = torch.randn(2, 1, 3000)
    with torch.inference_mode():
        assert torch.equal(names["encoder"](epochs), finetuned.model.encoder(epochs))


def test_the_example_needs_numpy_and_onnxruntime_alone(folder: Path) -> None:
    blocked = {"torch", "sleepsweep", "onnx", "scipy", "pandas", "ray", "mlflow", "optuna"}
    code = "import runpy; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    lines = python(code, str(folder / "example.py"), blocked=blocked).splitlines()
    assert len(lines) == 20
    assert {line.split()[1] for line in lines} <= {"W", "N1", "N2", "N3", "R"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_example_runs_in_an_environment_of_its_own(folder: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    its_python = tmp_path / "env" / "bin" / "python"
    install = [its_python, "-m", "pip", "install", "-q", "numpy", "onnxruntime"]
    subprocess.run(install, check=True, capture_output=True)
    night = np.random.default_rng(2).normal(0, 20, size=(1, 7 * 3000 + 100))
    np.save(tmp_path / "night.npy", night)
    run = subprocess.run(
        [its_python, folder / "example.py", tmp_path / "night.npy"],
        capture_output=True, text=True, check=True, env={"PATH": ""},
    )  # fmt: skip
    assert len(run.stdout.splitlines()) == 7
    missing = [its_python, "-c", "import torch"]
    assert subprocess.run(missing, capture_output=True, check=False).returncode != 0


def test_the_ready_model_takes_its_own_card_along(tmp_path: Path) -> None:
    export_model(read_model(Path("ready"), classifier=True), tmp_path / "out")
    card = (tmp_path / "out" / "CARD.md").read_text()
    assert "# Model card: ready" in card
    # What its links are called stays, also where one leads nowhere from here.
    assert "40 simulated people (what they are), SIM000" in card
    assert "`ready-sleep-edf.yaml`, which has not been run" in " ".join(card.split())
    text = (tmp_path / "out" / "README.md").read_text()
    assert "[CARD.md](CARD.md)" in text
    assert "None are known" not in text
    for target in re.findall(r"\]\(([^)]*)\)", card + text):
        assert target.startswith("https:") or (tmp_path / "out" / target).exists(), target


def test_links_that_lead_somewhere_stay() -> None:
    text = "[a](../b.md), [c](https://d.org/e), [f](#g), [`h`](i/j.yaml) [0.1]"
    kept = "a, [c](https://d.org/e), [f](#g), `h` [0.1]"
    assert without_relative_links(text) == kept


def test_a_place_that_is_taken_is_left_as_it_is(finetuned: ModelFile, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    for taken in (tmp_path, tmp_path / "thesis.tex"):
        with pytest.raises(UserError, match="is there already"):
            export_model(finetuned, taken)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "onnxscript"])
def test_a_missing_package_is_named_with_what_to_install(
    finetuned: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=r'pip install "sleepsweep\[export\]"') as told:
        export_model(finetuned, tmp_path / "out")
    assert package in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_differs_from_torch_is_not_handed_out(
    finetuned: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxfile, "_difference", lambda *_: 2e-4)
    with pytest.raises(UserError, match=r"differ from torch's by up to 0\.0002"):
        export_model(finetuned, tmp_path / "out")
    monkeypatch.setattr(onnxfile, "_difference", lambda *_: float("nan"))
    with pytest.raises(UserError, match=r"gives no numbers \(NaN\).*diverged"):
        export_model(finetuned, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote(
    command_line: Run, exported: Exported, whole: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ended = command_line("export", whole[0].path / "encoder.safetensors", "-o", out)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert "model.onnx: " in ended.stdout
    assert "embeddings within" in ended.stdout
    again = command_line("export", whole[0].path, "-o", out)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert "probe that read it" in (out / "README.md").read_text()
