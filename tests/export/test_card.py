"""The model card says what is known of a model, and no more."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml

from sleepsweep.evaluation import ModelFile, evaluate_people, read_model, scored_people
from sleepsweep.export.card import card, escaped
from sleepsweep.export.onnxfile import OnnxFile

ONNX = OnnxFile(Path("model.onnx"), ("probabilities", "embeddings"), 864_882, 3e-7)


@pytest.fixture
def copied(whole: tuple[Any, Any], tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole[0].path, tmp_path / "copied"))


def test_scores_are_those_of_the_experiment(finetuned: ModelFile) -> None:
    text = card(finetuned, ONNX)
    place = finetuned.path.parent / "test" / "finetune"
    macro = pd.read_csv(place / "overall.csv", index_col=0).loc["macro_f1", "value"]
    assert f"| Macro-F1, epochs pooled | {100 * macro:.1f} (no interval) |" in text
    subject = pd.read_csv(place / "by_subject.csv").iloc[0]
    assert (
        f"| {subject['subject']} | {subject['epochs']:,} | {100 * subject['accuracy']:.1f}" in text
    )
    for heading in ("Fine-tuned, validation (1 subject)", "Fine-tuned, test (1 subject)"):
        assert f"### {heading}" in text
    assert "Probe" not in text


def test_it_says_what_the_model_is_and_that_it_is_no_medical_device(finetuned: ModelFile) -> None:
    text = card(finetuned, ONNX)
    assert "Not a medical device" in text
    assert "| Takes | epochs (batch, 1, 3000): 30 s of Fpz-Cz at 100 Hz |" in text
    assert "stages in the order W, N1, N2, N3, R" in text
    assert "864,882 bytes" in text
    policy = text.split("```yaml\n")[1].split("```")[0]
    assert [*yaml.safe_load(policy)["policy"][0]] == ["TimeWarping"]
    # Tables are tables: every row of one has as many cells.
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.replace("\\|", "").count("|") for row in rows}) <= 1, block


def test_what_a_user_wrote_is_text(finetuned: ModelFile) -> None:
    assert r"Does \<b\>it\</b\> run?" in card(finetuned, ONNX)
    assert escaped("a|b\n# c `d`") == r"a\|b \# c \`d\`"


CRAFTED = "0` |\n\n# Approved medical device\n\n<img src=x onerror=alert(1)>"


def test_what_a_header_says_is_text(finetuned: ModelFile) -> None:
    about = finetuned.model.about.model_copy(update={"data_hash": CRAFTED})
    crafted = replace(finetuned, model=replace(finetuned.model, about=about))
    text = card(crafted, ONNX)
    assert "\n# Approved" not in text
    assert "<img" not in text.replace(r"\<", "")
    assert r"\# Approved medical device \<img" in text


def test_where_recordings_lie_is_not_told(copied: Path) -> None:
    manifest = copied / "experiment.json"
    text = manifest.read_text().replace('"root": null', '"root": "/home/ann/nights"')
    manifest.write_text(text)
    told = card(read_model(copied, classifier=True), ONNX)
    assert "| Data | nights |" in told
    assert "/home" not in told


def test_evaluations_beside_the_model_are_on_its_card(copied: Path, store: Any) -> None:
    file = read_model(copied / "probe.safetensors", classifier=True)
    people = scored_people(file.model.about, store, strangers=False)
    evaluate_people(file, store, people, copied / "evaluations" / "own")
    title = f"Evaluated on {escaped(store.folder.name)} (1 subject)"
    assert title in card(file, ONNX)
    assert title not in card(read_model(copied, classifier=True), ONNX)


def test_evaluations_of_a_network_trained_before_are_not(copied: Path, store: Any) -> None:
    path = copied / "probe.safetensors"
    file = read_model(path, classifier=True)
    people = scored_people(file.model.about, store, strangers=False)
    evaluate_people(file, store, people, copied / "evaluations" / "own")
    with torch.no_grad():
        next(file.model.network.parameters()).add_(1e-3)
    file.model.save(path)
    assert "Evaluated on" not in card(read_model(path, classifier=True), ONNX)


def test_a_file_without_its_experiment_has_a_card_without_scores(
    copied: Path, tmp_path: Path
) -> None:
    alone = Path(shutil.copy(copied / "probe.safetensors", tmp_path / "alone.safetensors"))
    text = card(read_model(alone, classifier=True), ONNX)
    assert text.startswith("# alone\n")
    assert "None are known" in text
    assert "## Policy" not in text
    assert "seen in training" in text
