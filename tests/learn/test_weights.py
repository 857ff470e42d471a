"""Weights as a file: tensors and texts come back, shared ones apart, and nothing else goes in."""

from pathlib import Path

import pytest
import torch
from torch import nn

from sleepsweep.errors import UserError
from sleepsweep.learn.weights import load_weights, save_weights


def test_tensors_and_texts_come_back(tmp_path: Path) -> None:
    weights = {"a": torch.arange(6.0).reshape(2, 3).T, "count": torch.tensor(3)}
    save_weights(weights, {"about": "Größe µV"}, tmp_path / "folder" / "w.safetensors")
    read, texts = load_weights(tmp_path / "folder" / "w.safetensors")
    assert texts == {"about": "Größe µV"}
    assert read.keys() == weights.keys()
    assert all(torch.equal(read[name], weights[name]) for name in weights)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["w.safetensors"]


def test_weights_that_two_layers_share_are_written_for_both(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    network[1].weight = network[0].weight
    save_weights(network.state_dict(), {}, tmp_path / "w.safetensors")
    read, _ = load_weights(tmp_path / "w.safetensors")
    assert torch.equal(read["0.weight"], read["1.weight"])


def test_what_is_no_tensor_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="keeps state, which is no tensor"):
        save_weights({"state": "a word"}, {}, tmp_path / "w.safetensors")  # type: ignore[dict-item]
    assert not list(tmp_path.iterdir())


def test_others_may_read_the_file_as_they_may_any(tmp_path: Path) -> None:
    save_weights({"a": torch.zeros(1)}, {}, tmp_path / "w.safetensors")
    (tmp_path / "any").touch()
    assert (tmp_path / "w.safetensors").stat().st_mode == (tmp_path / "any").stat().st_mode
