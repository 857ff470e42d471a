"""The data section of the YAML, and what a path is recognised as."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sleepsweep.data.npz import NpzSource
from sleepsweep.data.simulated import SimulatedSource, SimulatedSpec
from sleepsweep.data.source import DataSpec
from sleepsweep.errors import UserError

Writer = Callable[..., Path]


def test_the_defaults_are_the_yaml_of_the_documentation() -> None:
    text = {
        "source": "simulated", "root": None, "derivations": None, "sfreq": 100,
        "epoch_s": 30, "normalize": "robust", "wake_crop_min": 30,
        "simulated": {"subjects": 10, "nights": 1},
    }  # fmt: skip
    assert DataSpec.model_validate(text) == DataSpec(wake_crop_min=30)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"source": "sleep-edf"}, "not supported in this version; allowed: simulated, npz"),
        ({"source": "edf"}, "Convert other recordings to npz"),
        ({"source": "my_dataset.yaml"}, "not supported in this version"),
        ({"root": "somewhere"}, "reads no folder.*set source"),
        ({"derivations": ["Fpz-Cz", "Pz-Oz"]}, "at most 1"),
        ({"derivations": []}, "at least 1"),
        ({"sfreq": 33.31, "epoch_s": 1}, "whole number"),
        ({"sfreq": 0}, "greater than 0"),
        ({"sfreq": "100"}, "valid number"),
        ({"normalize": "minmax"}, "'robust', 'zscore' or 'none'"),
        ({"wake_crop_min": -1}, "greater than or equal to 0"),
        ({"wake_crop": 30}, "wake_crop"),
    ],
)
def test_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataSpec.model_validate(wrong)


def test_wake_is_cropped_as_the_source_needs() -> None:
    npz = DataSpec(source="npz", root="folder")
    assert DataSpec().effective_wake_crop_min == 30
    assert npz.effective_wake_crop_min is None
    assert DataSpec(wake_crop_min=5).effective_wake_crop_min == 5
    assert DataSpec(source="npz", wake_crop_min=5).effective_wake_crop_min == 5


def test_build() -> None:
    assert DataSpec().build() == SimulatedSource(SimulatedSpec())
    assert DataSpec(source="npz", root="folder").build() == NpzSource(Path("folder"), 30)


def test_npz_needs_a_root() -> None:
    with pytest.raises(UserError, match=r"data\.root is missing.*--data"):
        DataSpec(source="npz").build()


@pytest.mark.parametrize("wrong", [{"derivations": ("Pz-Oz",)}, {"epoch_s": 20.0}])
def test_simulated_nights_are_what_they_are(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="simulated nights hold Fpz-Cz"):
        DataSpec(**wrong).build()


def test_pointed_at_a_folder_of_npz(write_npz: Writer) -> None:
    folder = write_npz().parent
    spec = DataSpec(normalize="zscore").pointed_at(folder)
    assert (spec.source, spec.root, spec.normalize) == ("npz", str(folder.resolve()), "zscore")
    assert DataSpec(source="npz", root="elsewhere").pointed_at(folder).root == spec.root


def test_pointed_at_something_else(tmp_path: Path) -> None:
    (tmp_path / "a.edf").touch()
    (tmp_path / "sub").mkdir()
    supported = "Supported in this version: a folder of npz files"
    with pytest.raises(UserError, match=rf"found 1 × \.edf, 1 folder.*{supported}"):
        DataSpec().pointed_at(tmp_path)
    with pytest.raises(UserError, match=rf"found a \.edf file.*{supported}; give that folder"):
        DataSpec().pointed_at(tmp_path / "a.edf")
    with pytest.raises(UserError, match="found nothing"):
        DataSpec().pointed_at(tmp_path / "nowhere")


def test_pointed_at_pickles(tmp_path: Path) -> None:
    (tmp_path / "a.pickle").touch()
    with pytest.raises(UserError, match=r"can run any code.*np\.savez"):
        DataSpec().pointed_at(tmp_path)
