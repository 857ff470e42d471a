"""The commands on a single model as a user meets them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from sleepsweep.experiment.folder import ExperimentFolder

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def nights(write_nights: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = [f"person{letter}1" for letter in "abcde"]
    return write_nights(tmp_path_factory.mktemp("train") / "nights", names)


@pytest.fixture
def config(
    tree: Callable[..., dict[str, Any]], nights: Path, tmp_path: Path
) -> Callable[..., Path]:
    """Write the tiny experiment on small nights, with some sections changed."""

    def write(file: str = "one.yaml", **changes: Any) -> Path:
        made = {**tree(**changes), "data": {"source": "npz", "root": str(nights)}}
        made["data"] |= changes.get("data", {})
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(made))
        return path

    return write


def refused(ended: subprocess.CompletedProcess[str], *said: str) -> None:
    """Check that a command ended as a user's mistake should."""
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert ended.stderr.count("sleepsweep: ") == 1
    assert "Traceback" not in ended.stdout + ended.stderr
    assert all(text in ended.stderr for text in said), ended.stderr


@pytest.mark.timeout(600)
def test_train_evaluate_and_embed(
    command_line: Run, config: Callable[..., Path], nights: Path, tmp_path: Path
) -> None:
    path, out = config(), tmp_path / "out"
    ended = command_line("train", path, "--out", out)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    for text in ("tiny", "Pretraining", "step 4: loss", "Probe, validation", "Fine-tuned, test",
                 "95 % interval", "index.html"):  # fmt: skip
        assert text in ended.stdout.replace("\n", ""), ended.stdout
    folder = ExperimentFolder(out)
    assert (out / "index.html").exists()
    assert set(folder.done) == {"pretrain", "latent", "probe", "finetune", "test"}
    assert folder.done["probe"]["command"].startswith("sleepsweep train")

    # What is done stays, and one stage can be repeated.
    before = folder.done
    assert command_line("train", path, "--out", out, "--quiet").stdout == ""
    assert folder.done == before
    ended = command_line("train", path, "--out", out, "--stage", "latent", "--json")
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["stage", "done", "end"]
    assert {(line["experiment"], line["stage"]) for line in lines[:2]} == {("tiny", "latent")}
    assert (lines[2]["status"], set(lines[2]["done"])) == (0, set(folder.done))

    opened = len(folder.read_manifest()["test_opened"])
    ended = command_line("evaluate", out, nights, "--json")
    assert ended.returncode == 2, "the recordings are an option"
    ended = command_line("evaluate", out, "--data", nights, "--json")
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stdout.splitlines()
    told = json.loads(line)
    (place,) = (out / "evaluations").iterdir()
    assert told["out"] == str(place)
    assert place.name.startswith("finetuned-nights-")
    assert len(folder.read_manifest()["test_opened"]) == opened + 1
    table = pd.read_csv(place / "overall.csv", index_col=0)
    assert told["kappa"] == pytest.approx(table.loc["kappa", "value"], rel=1e-5)
    assert table["subjects"].tolist() == [1] * 4

    ended = command_line(
        "embed", out, "--data", nights, "--out", tmp_path / "e", "--picture", "pca"
    )
    assert ended.returncode == 0, ended.stderr
    assert "160 epochs of 4 subjects" in ended.stdout
    assert len(pd.read_parquet(tmp_path / "e" / "embeddings.parquet")) == 160
    assert [p.name for p in (tmp_path / "e" / "latent").glob("*.png")] == ["pca.png"]


def test_lines_of_json_are_json_each_and_name_the_experiment(
    command_line: Run, config: Callable[..., Path], tmp_path: Path
) -> None:
    path = config(stages=["pretrain", "probe"])
    ended = command_line("train", path, "--out", tmp_path / "out", "--json")
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {line["experiment"] for line in lines} == {"tiny"}
    assert [(line["event"], line.get("stage")) for line in lines] == [
        ("stage", "pretrain"), ("check", "pretrain"), ("check", "pretrain"), ("done", "pretrain"),
        ("stage", "probe"), ("done", "probe"), ("end", None),
    ]  # fmt: skip
    assert [line["step"] for line in lines if line["event"] == "check"] == [2, 4]


def test_a_mistake_is_one_message_and_leaves_nothing(
    command_line: Run, config: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    refused(command_line("train", config(colour="green"), "--out", out), "line ", "colour")
    refused(command_line("train", tmp_path / "none.yaml", "--out", out), "no such file")
    refused(command_line("train", config(), "--out", out, "--set", "policy=[SignFlop]"), "SignFlip")
    refused(
        command_line("train", config(), "--out", out, "--data", tmp_path / "no"), "found nothing"
    )
    ended = command_line("train", config(), "--out", out, "--tracking-uri", "http://127.0.0.1:9")
    refused(ended, "does not answer")
    assert not out.exists()


def test_the_test_before_its_forerunners_is_refused(
    command_line: Run, config: Callable[..., Path], tmp_path: Path
) -> None:
    ended = command_line("train", config(), "--out", tmp_path / "out", "--stage", "test")
    refused(ended, "the stage probe has not been run", "--stage probe")
    assert ExperimentFolder(tmp_path / "out").read_manifest()["test_opened"] == []
    ended = command_line("train", config(), "--out", tmp_path / "out", "--stage", "exam")
    assert ended.returncode == 2
    assert "pretrain" in ended.stderr


def test_a_folder_that_holds_something_else_is_left_alone(
    command_line: Run, config: Callable[..., Path], tmp_path: Path
) -> None:
    thesis = tmp_path / "out" / "thesis.tex"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    path = config(stages=["probe"])
    refused(
        command_line("train", path, "--out", tmp_path / "out", "--fresh"),
        "is not empty and holds no experiment",
    )
    assert [entry.name for entry in thesis.parent.iterdir()] == ["thesis.tex"]


def test_a_pretraining_that_diverges_ends_with_its_own_status(
    command_line: Run, config: Callable[..., Path], tmp_path: Path
) -> None:
    path, out = config(), tmp_path / "out"
    ended = command_line("train", path, "--out", out, "--set", "pretrain.learning_rate=1e30")
    assert ended.returncode == 4, ended.stdout + ended.stderr
    assert "pretraining diverged" in ended.stderr
    assert "pretrain.learning_rate" in ended.stderr
    assert set(ExperimentFolder(out).done) == {"pretrain"}
    assert "diverged" in (out / "index.html").read_text()


def test_of_a_folder_one_mistake_ends_that_one_alone(
    command_line: Run, config: Callable[..., Path], nights: Path, tmp_path: Path
) -> None:
    config("all/1.yaml", name="first", stages=["probe"])
    config("all/2.yaml", name="second", stages=["probe"], data={"root": str(tmp_path / "gone")})
    config("all/3.yaml", name="third", stages=["probe"])
    ended = command_line("train", tmp_path / "all", "--out", tmp_path / "out", "--json")
    refused(ended, "2.yaml", "gone")
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["experiment"] for line in lines] == ["first"] * 3 + ["third"] * 3
    for name in ("first", "third"):
        assert (tmp_path / "out" / name / "index.html").exists()
    assert not (tmp_path / "out" / "second").exists()


def test_evaluate_and_embed_say_what_they_cannot_use(
    command_line: Run, nights: Path, tmp_path: Path
) -> None:
    text = tmp_path / "model.safetensors"
    text.write_text("no model")
    refused(command_line("evaluate", tmp_path / "no", "--data", nights), "no such file")
    refused(command_line("evaluate", text, "--data", nights), "model.safetensors")
    out = tmp_path / "out"
    refused(command_line("embed", tmp_path, "--data", nights, "--out", out), "has none of")
    assert not out.exists()
