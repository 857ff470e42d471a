from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sleepsweep.errors import UserError
from sleepsweep.experiment.spec import STAGES, ExperimentSpec
from sleepsweep.spec.specfile import read_study
from sleepsweep.spec.sweepspec import SweepSpec

Tree = Callable[..., dict[str, Any]]


def written(tree: dict[str, Any], folder: Path) -> Path:
    path = folder / "one.yaml"
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return path


def test_the_spec_written_out_is_the_same_spec(tree: Tree, tmp_path: Path) -> None:
    spec = read_study(ExperimentSpec, written(tree(), tmp_path))
    assert [member.name for member in spec.policy] == ["TimeWarping", "SignFlip"]
    assert spec.policy[1].p == 1.0
    assert spec.ordered == STAGES
    assert read_study(ExperimentSpec, written(spec.model_dump(mode="json"), tmp_path)) == spec


def test_stages_are_run_in_their_order(tree: Tree) -> None:
    spec = ExperimentSpec.model_validate(tree(stages=["test", "probe", "pretrain"]))
    assert spec.ordered == ("pretrain", "probe", "test")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"policy": [{"TimeWrapping": {"p": 0.5}}]}, ["policy.0.TimeWrapping", "TimeWarping"]),
        ({"policy": [{"SignFlip": {"p": {"uniform": [0, 1]}}}]}, ["policy.0.SignFlip.p", "range"]),
        ({"policy": [{"SignFlip": {"p": 1.5}}]}, ["policy.0.SignFlip.p", "1.5"]),
        ({"policy": [{"SignFlip": {"severity": 0.5}}]}, ["policy.0.SignFlip.severity"]),
        ({"policy": [{"Permutation": {"n_segmants": 4}}]}, ["n_segmants", "n_segments"]),
        ({"policy": [{"SignFlip": {}, "TimeReversal": {}}]}, ["policy.0", "one augmentation"]),
        ({"policy": "SignFlip"}, ["policy", "a list"]),
        ({"policy": [{"ChannelsDropout": {}}]}, ["ChannelsDropout", "2 channels"]),
        ({"block": 2}, ["block", "0 to 1"]),
        ({"stages": ["pretrain", "test"]}, ["stages", "needs a classifier"]),
        ({"stages": ["pretrian"]}, ["stages", "pretrian"]),
        ({"search": {"trials": 3}}, ["search", "sleepsweep launch"]),
        ({"finetune": {"layer": "all"}}, ["finetune.layer", "did you mean layers"]),
        ({"finetune": {"classifier": "mpl"}}, ["finetune.classifier", "mlp"]),
        ({"pretrain": {"loss": "vicreg"}}, ["pretrain", "projector"]),
        ({"encoder": {"name": "SimpleSleepnet"}}, ["encoder.name", "SimpleSleepNet"]),
        ({"probe": {"C": "cross-validated"}}, ["probe.C", "cross_validated", "valid number"]),
        ({"latent": {"pictures": ["pcb"]}}, ["latent.pictures", "pcb"]),
        ({"tracking": {"uri": "http://me:secret@host"}}, ["tracking.uri"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(
    tree: Tree, tmp_path: Path, changes: dict[str, Any], said: list[str]
) -> None:
    base = {"tracking": {}, "search": {}, **tree()}
    merged = {**tree(), **{k: {**(base.get(k) or {}), **v} if isinstance(v, dict) else v
                           for k, v in changes.items()}}  # fmt: skip
    with pytest.raises(UserError) as caught:
        read_study(ExperimentSpec, written(merged, tmp_path))
    message = str(caught.value)
    assert all(text in message for text in ["line ", *said]), message
    assert "secret" not in message


def test_what_belongs_to_an_experiment_is_refused_in_a_sweep(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    sweep = "name: a\naugmentations: {size: [0, 1], pool: {SignFlip: {}}}\n"
    path.write_text(f"{sweep}stages: [test]\n")
    with pytest.raises(UserError, match=r"line 3, stages: .*sleepsweep train"):
        read_study(SweepSpec, path)
