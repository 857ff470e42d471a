from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sleepsweep import probedrun, trainable
from sleepsweep.data.split import LeakError
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.learn.pretrainspec import PretrainSpec
from sleepsweep.plan import Plan, make_plan
from sleepsweep.probedrun import views_of
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trainable import Metrics, run_trial
from sleepsweep.trial import TrialSpec


def anchor(plan: Plan) -> TrialSpec:
    """A trial of the plan that mixes, flips and permutes."""
    return next(s.trial for s in reversed(plan.slots) if s.kind == "anchor" and s.trial)


def results(metrics: list[Metrics]) -> list[Metrics]:
    return [replace(rung, time_s=0.0) for rung in metrics]


def test_a_trial_run_again_from_its_written_spec_gives_the_same_rungs(plan: Plan) -> None:
    trial = anchor(plan)
    again = TrialSpec.model_validate_json(trial.model_dump_json())
    one = results(list(run_trial(trial, plan.store)))
    torch.rand(7)
    two = results(list(run_trial(again, plan.store)))
    assert one == two
    assert [rung.step for rung in one] == [1, 2, 4]


def test_scores_are_of_the_validation_subjects(plan: Plan) -> None:
    trial = anchor(plan)
    rung = next(iter(run_trial(trial, plan.store)))
    assert set(rung.confusions) == set(trial.validation)
    assert rung.pooled.sum() == 40 * len(trial.validation)
    assert 0 <= rung.scores["macro_f1"] <= 1


def test_the_probe_reads_the_labels_of_the_labelled_subjects_alone(
    sweep: Callable[..., SweepSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(sweep(probe={"label_fraction": 0.34}))
    trial = anchor(plan)
    assert len(trial.labelled) == 1 < len(trial.train)
    fitted: list[np.ndarray] = []
    trained: set[int] = set()
    stages, gather = Store.stages, Store.gather

    def spy_stages(self: Store, rows: np.ndarray) -> np.ndarray:
        fitted.append(np.asarray(rows))
        return stages(self, rows)

    def spy_gather(self: Store, rows: np.ndarray) -> np.ndarray:
        trained.update(np.asarray(rows).tolist())
        return gather(self, rows)

    monkeypatch.setattr(Store, "stages", spy_stages)
    monkeypatch.setattr(Store, "gather", spy_gather)
    rung = next(iter(run_trial(trial, plan.store)))
    assert set(rung.confusions) == set(trial.validation)
    read = np.concatenate(fitted).tolist()
    named = [trial.probe.choose(plan.store.rows([s])) for s in trial.labelled + trial.validation]
    assert sorted(read) == sorted(np.concatenate(named).tolist())
    unlabelled = set(trial.train) - set(trial.labelled)
    assert trained & set(plan.store.rows(sorted(unlabelled)).tolist())  # pretraining reads them


def test_an_interrupted_trial_continues_from_its_checkpoint(plan: Plan, tmp_path: Path) -> None:
    trial, state = anchor(plan), tmp_path / "state.pt"
    whole = results(list(run_trial(trial, plan.store)))
    begun = run_trial(trial, plan.store, state)
    next(begun)
    next(begun)
    del begun
    assert results(list(run_trial(trial, plan.store, state))) == whole


def test_so_does_one_with_a_projector_another_loss_and_half_precision(
    plan: Plan, tmp_path: Path
) -> None:
    plain = anchor(plan)
    trial = plain.changed(pretrain=PretrainSpec(
        loss="vicreg", projector="mlp", batch_size=16, steps=4, schedule="cosine", warmup_steps=2,
        weight_decay=0.01, clip_norm=1.0, precision="bfloat16",
    ))  # fmt: skip
    assert trial.id != plain.id
    whole = results(list(run_trial(trial, plan.store)))
    assert np.isfinite([rung.loss for rung in whole]).all()
    next(run_trial(trial, plan.store, tmp_path / "state.pt"))
    assert results(list(run_trial(trial, plan.store, tmp_path / "state.pt"))) == whole


def test_a_damaged_checkpoint_is_named(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_text("no checkpoint")
    with pytest.raises(UserError, match=r"state\.pt .* move it away"):
        next(run_trial(anchor(plan), plan.store, tmp_path / "state.pt"))


def test_a_finished_trial_is_not_run_again(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, state = anchor(plan), tmp_path / "state.pt"
    first = list(run_trial(trial, plan.store, state))
    monkeypatch.setattr(trainable, "_next_rung", None)
    assert list(run_trial(trial, plan.store, state)) == first


def test_a_collapsed_trial_ends_at_chance(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = anchor(plan)
    monkeypatch.setattr(probedrun.Pretraining, "run", lambda *_: float("nan"))
    rungs = list(run_trial(trial, plan.store))
    assert len(rungs) == 1
    assert rungs[0].collapsed
    predicted = rungs[0].pooled.sum(axis=0)
    assert np.count_nonzero(predicted) == 1
    assert predicted.argmax() == rungs[0].pooled.sum(axis=1).argmax()


def test_other_data_are_refused(sweep: Callable[..., SweepSpec], plan: Plan) -> None:
    other = make_plan(sweep(data={"simulated": {"subjects": 4}}))
    with pytest.raises(ValueError, match="other data"):
        next(iter(run_trial(anchor(plan), other.store)))


def test_a_trial_on_a_test_subject_is_refused(plan: Plan) -> None:
    trial = anchor(plan)
    stolen = trial.model_copy(update={"train": (*trial.train, plan.test[0])})
    with pytest.raises(LeakError):
        next(iter(run_trial(stolen, plan.store)))


@pytest.mark.parametrize("mix", ["store", "batch"])
def test_partners_for_mixing_come_from_training_epochs_only(
    plan: Plan, store: Store, mix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = anchor(plan)
    rows = plan.store.rows(trial.train)
    asked: list[int] = []
    original = Store.gather

    def spy(self: Store, wanted: np.ndarray) -> np.ndarray:
        asked.extend(int(row) for row in wanted)
        return original(self, wanted)

    batch = torch.from_numpy(plan.store.gather(rows[:16]))
    monkeypatch.setattr(Store, "gather", spy)
    policy = trial.build_policy()
    one, two = views_of(policy, mix, plan.store, rows)(batch, torch.Generator().manual_seed(0))
    assert one.shape == two.shape == batch.shape
    assert len(asked) == (16 if mix == "store" else 0)
    assert set(asked) <= set(rows.tolist())
