"""What docs/learning.md shows is legal and runs."""

import re
from pathlib import Path

import pytest
import torch
import yaml

from sleepsweep.learn.encoders import ENCODERS, EncoderSpec
from sleepsweep.learn.losses import LOSSES
from sleepsweep.learn.pretrainspec import PretrainSpec

PAGE = (Path(__file__).parents[2] / "docs" / "learning.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_settings_shown_are_legal_and_the_first_are_the_defaults() -> None:
    trees = [yaml.safe_load(text) for text in blocks("yaml")]
    assert len(trees) == 3
    assert EncoderSpec.model_validate(trees[0]["encoder"]) == EncoderSpec()
    assert PretrainSpec.model_validate(trees[0]["pretrain"]) == PretrainSpec()
    single = {"check_interval", "min_improvement"}
    assert set(trees[0]["pretrain"]) == set(PretrainSpec.model_fields) - single
    assert set(trees[2]["pretrain"]) >= single
    assert PretrainSpec.model_validate(trees[2]["pretrain"]).check_interval == 500


def test_the_tables_name_every_encoder_and_every_loss() -> None:
    for name in [*ENCODERS.all(), *LOSSES.all()]:
        assert f"\n| {name} | " in PAGE


def test_the_encoder_shown_is_built_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_encoders.py").write_text(blocks("python")[0])
    monkeypatch.syspath_prepend(tmp_path)
    tree = yaml.safe_load(blocks("yaml")[1])
    encoder = EncoderSpec.model_validate(tree["encoder"]).build(channels=2, weights_seed=0)
    assert encoder(torch.randn(3, 2, 3000)).shape == (3, 64)


def test_the_example_in_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("python")[1], "learning.md", "exec"), {})
    assert capsys.readouterr().out.count("Check(step=") == 4
    assert (tmp_path / "pretraining.pt").is_file()
