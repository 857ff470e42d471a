import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from sleepsweep.data.split import LeakError
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.experiment.folder import FILES, ExperimentFolder, files_of
from sleepsweep.experiment.run import check_stage, run_experiment
from sleepsweep.experiment.setting import Setting
from sleepsweep.experiment.spec import STAGES
from sleepsweep.metrics import confusion
from sleepsweep.model import Model
from sleepsweep.probedrun import ProbedRun

Whole = tuple[ExperimentFolder, Any]
Run = Callable[..., Whole]


def test_it_runs_from_end_to_end_and_writes_every_file(whole: Whole) -> None:
    folder, heard = whole
    assert heard.started == list(STAGES)
    assert set(folder.done) == set(STAGES)
    scored = {"predictions.csv", "overall.csv", "by_stage.csv", "by_subject.csv", "confusion.png"}
    for place in ("probe", "finetune", "test/probe", "test/finetune"):
        assert {path.name for path in (folder.path / place).iterdir()} == scored
    names = {path.name for path in (folder.path / "latent").iterdir()}
    assert names == {"embeddings.parquet", "measures.csv", "pca.png", "index.html"}
    for name in (
        "encoder.safetensors",
        "probe.safetensors",
        "finetuned.safetensors",
        "pretraining.csv",
        "finetuning.csv",
    ):
        assert (folder.path / name).stat().st_size > 0
    for stage in FILES:
        assert files_of(folder.path, stage)


def test_its_pretraining_is_that_of_the_sweeps_trial_bit_for_bit(
    whole: Whole, setting: Callable[..., Setting]
) -> None:
    made = setting()
    run = ProbedRun(made.trial, made.store)
    run.train(4)
    kept = Model.load(whole[0].path / "encoder.safetensors").encoder.state_dict()
    # The network of the best check, which here is the last: 4 steps.
    assert whole[1].found["pretrain"]["kept_step"] == 4
    for name, value in run.pretraining.encoder.state_dict().items():
        assert torch.equal(value, kept[name])


def test_tables_agree_with_the_predictions(whole: Whole) -> None:
    folder = whole[0].path / "test" / "finetune"
    predictions = pd.read_csv(folder / "predictions.csv", keep_default_na=False)
    order = ["W", "N1", "N2", "N3", "R"]
    told = predictions[["reference", "predicted"]].map(order.index)
    matrix = confusion(told["reference"], told["predicted"])
    by_subject = pd.read_csv(folder / "by_subject.csv")
    cells = by_subject[[f"{one}_as_{other}" for one in order for other in order]].sum()
    assert np.array_equal(cells.to_numpy().reshape(5, 5), matrix)
    overall = pd.read_csv(folder / "overall.csv", index_col=0)
    assert overall.loc["accuracy", "value"] == pytest.approx(np.trace(matrix) / matrix.sum(), 1e-5)
    by_stage = pd.read_csv(folder / "by_stage.csv")
    assert by_stage["epochs"].tolist() == matrix.sum(axis=1).tolist()


def test_only_the_test_stage_opens_the_test_subjects_and_writes_it_down_first(
    run: Run, setting: Callable[..., Setting], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, ...]] = []
    made = setting()
    original = Store.only

    def only(store: Store, subjects: Any) -> Store:
        manifest = json.loads((tmp_path / "x" / "experiment.json").read_text())
        assert manifest["test_opened"], "opened before it was written down"
        opened.append(tuple(subjects))
        return original(store, subjects)

    monkeypatch.setattr(Store, "only", only)
    stages = ["pretrain", "latent", "probe", "finetune"]
    folder, _ = run(tmp_path / "x", stages=stages)
    assert opened == []
    assert folder.read_manifest()["test_opened"] == []
    run(tmp_path / "x", stages=[*stages, "test"])
    assert opened == [made.test]
    assert len(folder.read_manifest()["test_opened"]) == 1
    with pytest.raises(LeakError):
        made.store.rows(made.test)


def test_predictions_are_of_validation_and_test_subjects_alone(whole: Whole) -> None:
    folder, _ = whole
    people = folder.read_manifest()["subjects"]
    parts = [set(people[part]) for part in ("train", "validation", "test")]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    for place, part in (("probe", "validation"), ("test/finetune", "test")):
        table = pd.read_csv(folder.path / place / "predictions.csv", keep_default_na=False)
        assert set(table["subject"].astype(str)) == set(people[part])
    embedded = pd.read_parquet(folder.path / "latent" / "embeddings.parquet")
    assert set(embedded["subject"].astype(str)) <= set(people["validation"])


def test_what_is_done_is_not_run_again_and_a_changed_section_is(run: Run, tmp_path: Path) -> None:
    stages = ["pretrain", "probe", "finetune", "test"]
    folder, _ = run(tmp_path / "x", stages=stages)
    assert run(tmp_path / "x", stages=stages)[1].started == []
    _, heard = run(tmp_path / "x", stages=stages, finetune={"layers": "none"})
    assert heard.started == ["finetune", "test"]
    _, heard = run(tmp_path / "x", "probe", stages=stages, finetune={"layers": "none"})
    assert heard.started == ["probe"]
    assert set(folder.done) == {"pretrain", "probe", "finetune"}
    assert not list(folder.path.glob("test/*/*")), "of another probe"


def test_another_classifier_is_tested_too_and_the_test_is_done_again(
    run: Run, tmp_path: Path
) -> None:
    folder, _ = run(tmp_path / "x", stages=["probe", "test"])
    _, heard = run(tmp_path / "x", stages=["probe", "finetune", "test"])
    assert heard.started == ["finetune", "test"]
    assert (folder.path / "test" / "finetune" / "overall.csv").exists()


def test_a_change_is_seen_again_after_a_kill_before_its_stages_were_undone(
    run: Run, setting: Callable[..., Setting], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = run(tmp_path / "x", stages=["probe"])
    made = setting(stages=["probe"], probe={"C": 5.0})

    def killed(self: ExperimentFolder, stage: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ExperimentFolder, "undo", killed)
        with pytest.raises(KeyboardInterrupt):
            folder.begin(made.spec, made.facts(), fresh=False)
    _, heard = run(tmp_path / "x", stages=["probe"], probe={"C": 5.0})
    assert heard.started == ["probe"]
    assert heard.found["probe"]["C"] == 5.0


def test_the_page_shows_what_is_done_even_if_it_was_not_written_then(
    run: Run, tmp_path: Path
) -> None:
    folder, _ = run(tmp_path / "x", stages=["probe"])
    (folder.path / "index.html").unlink()
    run(tmp_path / "x", stages=["probe"])
    assert "Probe, validation" in (folder.path / "index.html").read_text()


def test_a_stage_that_cannot_be_run_is_refused_before_anything_is_deleted(
    setting: Callable[..., Setting],
) -> None:
    made = setting()
    check_stage(made, None, fresh=True)
    check_stage(made, "pretrain", fresh=True)
    check_stage(made, "test", fresh=False)
    with pytest.raises(UserError, match="with --fresh"):
        check_stage(made, "probe", fresh=True)
    with pytest.raises(UserError, match="none of this experiment's stages"):
        check_stage(setting(stages=["probe"]), "latent", fresh=False)


def test_a_kill_while_starting_afresh_keeps_when_the_test_subjects_were_opened(
    run: Run, setting: Callable[..., Setting], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = run(tmp_path / "x", stages=["probe", "test"])
    opened = folder.read_manifest()["test_opened"]
    made = setting(seed=1, stages=["probe"])

    def killed(self: ExperimentFolder) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ExperimentFolder, "clear", killed)
        with pytest.raises(KeyboardInterrupt):
            folder.begin(made.spec, made.facts(), fresh=True)
    assert folder.read_manifest()["test_opened"] == opened
    assert folder.done == {}


def test_fine_tuning_that_diverges_says_so(run: Run, tmp_path: Path) -> None:
    _, heard = run(tmp_path / "x", stages=["finetune"], finetune={"learning_rate": 1e30})
    assert heard.found["finetune"]["ended"] == "diverged"


def test_repeating_the_pretraining_gives_the_same_and_leaves_nothing_after_it_done(
    run: Run, tmp_path: Path
) -> None:
    stages = ["pretrain", "probe"]
    folder, _ = run(tmp_path / "x", stages=stages)
    before = Model.load(folder.path / "encoder.safetensors").encoder.state_dict()
    _, heard = run(tmp_path / "x", "pretrain", stages=stages)
    assert heard.started == ["pretrain"]
    assert [step for _, step, _ in heard.told] == [2, 4]
    assert set(folder.done) == {"pretrain"}
    after = Model.load(folder.path / "encoder.safetensors").encoder.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pretrain": {"steps": 6}}, "pretrain.steps: 4 → 6"),
        ({"seed": 1}, "seed: 0 → 1"),
        ({"stages": ["probe"]}, "pretrained"),
        ({"split": {"test": 0.4}}, "split.test"),
    ],
)
def test_another_experiment_is_refused_in_the_folder_of_one(
    run: Run, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    run(tmp_path / "x", "pretrain", stages=["pretrain", "probe"])
    with pytest.raises(UserError, match="holds another experiment") as caught:
        run(tmp_path / "x", **{"stages": ["pretrain", "probe"], **changes})
    assert said in str(caught.value)


def test_a_stage_whose_forerunner_is_missing_says_so(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="stage pretrain has not been run"):
        run(tmp_path / "x", "probe")
    with pytest.raises(UserError, match="none of this experiment's stages"):
        run(tmp_path / "y", "latent", stages=["probe"])


def test_starting_afresh_keeps_when_the_test_subjects_were_opened(
    run: Run, setting: Callable[..., Setting], tmp_path: Path
) -> None:
    folder, _ = run(tmp_path / "x", stages=["probe", "test"])
    opened = folder.read_manifest()["test_opened"]
    made = setting(seed=1, stages=["probe"])
    folder.begin(made.spec, made.facts(), fresh=True)
    assert folder.done == {}
    assert folder.read_manifest()["test_opened"] == opened
    assert not (folder.path / "test").exists()


def test_without_pretraining_the_encoder_has_its_first_weights(
    run: Run, setting: Callable[..., Setting], tmp_path: Path
) -> None:
    folder, _ = run(tmp_path / "x", stages=["probe"])
    first = setting().first_encoder().state_dict()
    kept = Model.load(folder.path / "probe.safetensors").encoder.state_dict()
    assert all(torch.equal(first[name], kept[name]) for name in first)


def test_a_diverged_pretraining_ends_the_experiment_as_an_outcome(
    setting: Callable[..., Setting], tmp_path: Path
) -> None:
    made, folder = setting(pretrain={"learning_rate": 1e30}), ExperimentFolder(tmp_path / "x")
    with folder.locked():
        folder.begin(made.spec, made.facts(), fresh=False)
        assert run_experiment(made, folder, [], None) is False
        assert run_experiment(made, folder, [], None) is False
        assert run_experiment(made, folder, [], "probe") is False
    assert folder.done["pretrain"]["ended"] == "diverged"
    assert set(folder.done) == {"pretrain"}
    json.loads((folder.path / "experiment.json").read_text(), parse_constant=pytest.fail)
    assert "diverged" in (folder.path / "index.html").read_text()


def test_neighbours_are_a_probe_too_and_are_tested_without_a_model(
    run: Run, tmp_path: Path
) -> None:
    folder, heard = run(tmp_path / "x", stages=["probe", "test"], probe={"kind": "knn"})
    assert not (folder.path / "probe.safetensors").exists()
    assert "probe.accuracy" in heard.found["test"]


def test_a_stage_that_training_subjects_lack_is_never_predicted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Store.stages

    def without_n1(store: Store, rows: Any) -> Any:
        stages = original(store, rows)
        return np.where(stages == 1, 2, stages).astype(np.int8)

    # The labels that are learned from; those that are scored against keep N1.
    monkeypatch.setattr(Store, "stages", without_n1)
    folder, _ = run(tmp_path / "x", stages=["probe", "finetune"])
    for stage in ("probe",):
        table = pd.read_csv(folder.path / stage / "predictions.csv", keep_default_na=False)
        assert "N1" not in set(table["predicted"])
        assert "N1" in set(table["reference"])
        by_stage = pd.read_csv(folder.path / stage / "by_stage.csv", index_col=0)
        assert by_stage.loc["N1", "f1"] == 0
