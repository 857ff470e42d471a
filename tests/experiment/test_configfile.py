"""Every kind of file that describes an experiment, and published configs from end to end."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.experiment.configfile import read_configs
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.spec import STAGES
from sleepsweep.model import Model

Published = Callable[..., Path]
Tree = Callable[..., dict[str, Any]]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def written(tree: Tree, tmp_path: Path) -> Published:
    """Write the tiny experiment as YAML, with some keys changed."""

    def write(name: str = "one.yaml", **changes: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump({**tree(), **changes}))
        return path

    return write


def test_a_yaml_of_ours(written: Published) -> None:
    path = written()
    (one,) = read_configs(path, overrides={"pretrain.steps": 3, "seed": 5})
    assert (one.path, one.spec.name, one.out) == (path, "tiny", Path("runs/tiny"))
    assert (one.spec.pretrain.steps, one.spec.seed) == (3, 5)
    assert one.notes == ()
    assert one.at_data is None


def test_a_yaml_of_ours_with_a_preset(written: Published) -> None:
    path = written(presets={"long": {"pretrain": {"steps": 800}}})
    (one,) = read_configs(path, preset="long")
    assert (one.spec.pretrain.steps, one.spec.pretrain.batch_size) == (800, 16)


@pytest.mark.parametrize("dialect", ["readme", "code"])
def test_passes_of_a_published_config_become_steps_of_the_data_at_hand(
    published: Published, dialect: str
) -> None:
    path = published(
        dialect,
        pretraining_params={"max_epochs": 200, "check_interval": 20},
        sup_training_params={"max_epochs": 100, "check_interval": 25},
    )
    (one,) = read_configs(path)
    made = one.setting()
    assert len(made.trial.train) == 3
    # Three subjects of 40 epochs: three batches of 40 a pass.
    assert (made.spec.pretrain.steps, made.spec.pretrain.check_interval) == (600, 60)
    assert (made.spec.finetune.steps, made.spec.finetune.check_interval) == (300, 75)
    assert made.trial.pretrain.steps == 600
    assert made.trial.rungs == (600,)
    kept = {"pretrain", "finetune"}
    assert made.spec.model_dump(exclude=kept) == one.spec.model_dump(exclude=kept)


def test_a_pass_is_at_least_a_step_where_the_batch_is_not_filled_twice(
    published: Published,
) -> None:
    path = published("readme", pretraining_params={"batch_size": 119, "max_epochs": 4})
    (one,) = read_configs(path)
    assert one.setting().spec.pretrain.steps == 4


def test_a_batch_that_is_larger_than_the_data_is_refused(published: Published) -> None:
    (one,) = read_configs(published("readme", pretraining_params={"batch_size": 121}))
    with pytest.raises(UserError, match=r"batch_size is 121, but there are 120 epochs"):
        one.setting()


def test_settings_and_data_of_the_command_line_hold_for_both_kinds(
    published: Published, written: Published, store: Store
) -> None:
    published("readme", "all/1.json", dataset={"max_files": None})
    written("all/2.yaml")
    overrides = {"pretrain.steps": 9, "pretrain.check_interval": 3, "seed": 8}
    read = read_configs(written().parent / "all", overrides=overrides, data=store.folder)
    assert [one.spec.name for one in read] == ["experiment_90", "tiny"]
    for one in read:
        made = one.setting()
        assert (made.spec.pretrain.steps, made.spec.seed) == (9, 8)
        assert made.store.folder == store.folder


def test_what_a_published_config_does_otherwise_is_said(published: Published) -> None:
    (one,) = read_configs(published("code"))
    said = " ".join(one.notes)
    assert "test subjects are set aside" in said
    assert "pretraining_params.max_epochs counts passes" in said
    assert "num_workers has no effect" in said


def test_a_folder_of_mixed_kinds_is_read_in_natural_order(
    published: Published, written: Published, tmp_path: Path
) -> None:
    published("code", "all/config_10.json")
    published("readme", "all/config_2.json")
    written("all/config_3.yaml")
    read = read_configs(tmp_path / "all")
    assert [one.spec.name for one in read] == ["experiment_90", "tiny", "experiment_3"]
    assert [one.out for one in read] == [
        Path("runs/experiment_90"), Path("runs/tiny"), Path("results/experiment_3")
    ]  # fmt: skip
    read = read_configs(tmp_path / "all", out=tmp_path / "here")
    assert [one.out.relative_to(tmp_path) for one in read] == [
        Path("here/experiment_90"), Path("here/tiny"), Path("here/experiment_3")
    ]  # fmt: skip


def test_a_single_config_has_the_out_folder_for_itself(published: Published) -> None:
    (one,) = read_configs(published("code"), out=Path("here"))
    assert one.out == Path("here")


def test_two_experiments_of_one_name_are_refused(published: Published, tmp_path: Path) -> None:
    published("code", "all/a.json")
    published("code", "all/b.json", seed=8)
    with pytest.raises(UserError, match=r"b\.json: its name is experiment_3, as that of .*a\.json"):
        read_configs(tmp_path / "all")


def test_a_published_config_has_no_presets(published: Published) -> None:
    with pytest.raises(UserError, match="--preset long: a published config has no presets"):
        read_configs(published("readme"), preset="long")


def test_a_mistake_in_one_of_several_is_told_before_any_is_run(
    published: Published, written: Published, tmp_path: Path
) -> None:
    published("code", "all/a.json")
    written("all/b.yaml", policy=["SignFlop"])
    with pytest.raises(UserError, match=r"b\.yaml.*SignFlop"):
        read_configs(tmp_path / "all")


@pytest.mark.parametrize("dialect", ["readme", "code"])
def test_a_published_config_runs_from_end_to_end(
    published: Published, command_line: Run, tmp_path: Path, dialect: str
) -> None:
    path, out = published(dialect), tmp_path / "out"
    ended = command_line("train", path, "--out", out)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    folder = ExperimentFolder(out)
    assert set(folder.done) == set(STAGES)
    assert folder.done["pretrain"]["steps"] == 3
    # What the study's pipeline writes: checkpoints, latent measures and pictures, and of each
    # evaluation the predictions, tables overall and by class, and a confusion matrix.
    for name, classifier in {"encoder": None, "probe": "linear", "finetuned": "mlp"}.items():
        about = Model.load(out / f"{name}.safetensors").about
        assert (about.classifier, about.encoder.latent_dim) == (classifier, 8)
    for place in ("finetune", "test/finetune"):
        predictions = pd.read_csv(out / place / "predictions.csv", keep_default_na=False)
        assert len(predictions) == 40
        assert {*predictions["reference"], *predictions["predicted"]} <= {
            "W",
            "N1",
            "N2",
            "N3",
            "R",
        }
        overall = pd.read_csv(out / place / "overall.csv", index_col=0)
        assert {"accuracy", "macro_f1", "kappa"} < set(overall.index)
        assert len(pd.read_csv(out / place / "by_stage.csv")) == 5
        assert (out / place / "confusion.png").read_bytes()[1:4] == b"PNG"
    measures = set(pd.read_csv(out / "latent" / "measures.csv")["measure"])
    assert {"ari", "ami", "silhouette"} <= {name.lower() for name in measures}, measures
    assert [p.name for p in (out / "latent").glob("*.png")] == ["pca.png"]
    assert (out / "index.html").stat().st_size > 100_000
