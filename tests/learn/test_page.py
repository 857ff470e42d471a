"""What docs/learning.md, own-encoder.md and own-classifier.md show is legal and runs."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
import yaml

from sleepsweep.learn.encoders import ENCODERS, EncoderSpec
from sleepsweep.learn.losses import LOSSES
from sleepsweep.learn.pretrainspec import PretrainSpec

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "learning.md").read_text()


def blocks(language: str, page: str = "learning.md") -> list[str]:
    text = (DOCS / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_settings_shown_are_legal_and_the_first_are_the_defaults() -> None:
    trees = [yaml.safe_load(text) for text in blocks("yaml")]
    assert len(trees) == 2
    assert EncoderSpec.model_validate(trees[0]["encoder"]) == EncoderSpec()
    assert PretrainSpec.model_validate(trees[0]["pretrain"]) == PretrainSpec()
    single = {"check_interval", "min_improvement"}
    assert set(trees[0]["pretrain"]) == set(PretrainSpec.model_fields) - single
    assert set(trees[1]["pretrain"]) >= single
    assert PretrainSpec.model_validate(trees[1]["pretrain"]).check_interval == 500


def test_the_tables_name_every_encoder_and_every_loss() -> None:
    for name in [*ENCODERS.all(), *LOSSES.all()]:
        assert f"\n| {name} | " in PAGE


def test_the_encoder_shown_is_built_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_encoders.py").write_text(blocks("python", "own-encoder.md")[0])
    monkeypatch.syspath_prepend(tmp_path)
    tree = yaml.safe_load(blocks("yaml", "own-encoder.md")[0])
    encoder = EncoderSpec.model_validate(tree["encoder"]).build(channels=2, weights_seed=0)
    assert encoder(torch.randn(3, 2, 3000)).shape == (3, 64)


def test_the_example_in_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("python")[0], "learning.md", "exec"), {})
    assert capsys.readouterr().out.count("Check(step=") == 4
    assert (tmp_path / "pretraining.pt").is_file()


def test_the_classifier_shown_is_found_by_its_entry_point(tmp_path: Path) -> None:
    page = "own-classifier.md"
    (tmp_path / "lab_heads.py").write_text(blocks("python", page)[0])
    group = tomllib.loads(blocks("toml", page)[0])["project"]["entry-points"]
    ((name, points),) = group.items()
    info = tmp_path / "lab_heads-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: lab-heads\nVersion: 1\n")
    lines = [f"{key} = {value}" for key, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{name}]", *lines]))
    code = f"""
import torch, yaml
from sleepsweep.learn.classifiers import build_classifier
from sleepsweep.learn.finetune import FinetuneSpec
spec = FinetuneSpec.model_validate(yaml.safe_load({blocks("yaml", page)[0]!r})["finetune"])
network = build_classifier(spec.classifier, 128, spec.dropout, weights_seed=0)
print(tuple(network(torch.randn(7, 128)).shape))
"""
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.stdout.strip() == "(7, 5)", run.stderr
