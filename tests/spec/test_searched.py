"""Ranges among the scalars of encoder, pretrain and probe: read, drawn, recorded."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.table import build_table
from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.plan import Plan, make_plan
from sleepsweep.results import StudyInfo
from sleepsweep.space import Space
from sleepsweep.spec.specfile import read_study
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trial import TrialSpec

SEARCHED: dict[str, Any] = {
    "encoder": {"latent_dim": {"choice": [8, 16]}, "dropout": {"uniform": [0.0, 0.5]}},
    "pretrain": {"temperature": {"loguniform": [0.05, 1.0]}},
    "probe": {"C": {"loguniform": [0.01, 10]}},
}

# The tiny search space's drawn trials, as they were before scalars could be searched.
TRIALS = ["724059c8687f", "da203d05ab1b", "b433ddea9603"]


def trials_of(plan: Plan) -> list[TrialSpec]:
    return [slot.trial for slot in plan.slots if slot.trial is not None]


def on_any_data(plan: Plan) -> Space:
    return Space(plan.spec, plan.space.blocks, "0" * 12)


def test_without_ranges_a_sweep_draws_the_trials_that_it_always_did(plan: Plan) -> None:
    slots = on_any_data(plan).slots()
    assert [slot.trial.id for slot in slots if slot.trial is not None] == TRIALS


def test_searched_scalars_change_no_policy_and_are_the_same_anywhere(
    plan: Plan, sweep: Callable[..., SweepSpec], store: Store
) -> None:
    searched = make_plan(sweep(**SEARCHED))
    assert [t.policy for t in trials_of(searched)] == [t.policy for t in trials_of(plan)]
    slots = on_any_data(searched).slots()
    assert [slot.trial.id for slot in slots if slot.trial is not None] == [
        "ebaa7f820bfb",
        "55ebf4774aa9",
        "10a9930534b4",
    ]
    drawn = [(t.encoder.latent_dim, t.pretrain.temperature) for t in trials_of(searched)]
    assert drawn == [(8, 0.4745), (16, 0.4578), (8, 0.8516)]


def test_keys_that_came_later_change_no_trial_at_their_defaults(
    plan: Plan, sweep: Callable[..., SweepSpec]
) -> None:
    later = {"projector": "none", "weight_decay": 0.0, "clip_norm": None, "schedule": "constant"}
    slots = Space(sweep(pretrain=later), plan.space.blocks, "0" * 12).slots()
    assert [slot.trial.id for slot in slots if slot.trial is not None] == TRIALS
    slots = Space(sweep(pretrain={"warmup_steps": 1}), plan.space.blocks, "0" * 12).slots()
    assert not {slot.trial.id for slot in slots if slot.trial is not None} & set(TRIALS)


def test_encoders_losses_and_schedules_may_be_searched(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    spec = sweep(
        encoder={"name": {"choice": ["SimpleSleepNet", "DilatedSleepNet"]}},
        pretrain={
            "loss": {"choice": ["nt_xent", "vicreg"]}, "projector": {"choice": ["linear", "mlp"]},
            "schedule": {"choice": ["constant", "cosine"]}, "clip_norm": {"uniform": [0.1, 9]},
        },
        search={"trials": 20},
    )  # fmt: skip
    drawn = trials_of(make_plan(spec))
    assert {trial.encoder.name for trial in drawn} == {"SimpleSleepNet", "DilatedSleepNet"}
    assert {trial.pretrain.loss for trial in drawn} == {"nt_xent", "vicreg"}
    assert spec.settings["pretrain.loss"] == {"choice": ["nt_xent", "vicreg"]}
    assert spec.settings["pretrain.warmup_steps"] == 0


def test_another_range_leaves_the_first_as_it_was(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    one = make_plan(sweep(pretrain=SEARCHED["pretrain"]))
    both = make_plan(sweep(pretrain=SEARCHED["pretrain"], probe=SEARCHED["probe"]))
    drawn = [[t.pretrain.temperature for t in trials_of(plan)] for plan in (one, both)]
    assert drawn[0] == drawn[1]
    assert len({t.probe.C for t in trials_of(both)}) == len(trials_of(both))


def test_a_choice_is_a_grid_when_there_are_as_many_trials_as_cells(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    fixed = {"size": [1, 1], "placebo": False, "pool": {"SignFlip": {"p": 0.5}}}
    spec = sweep(
        augmentations=fixed, split={"blocks": 3}, encoder={"latent_dim": {"choice": [4, 8, 16]}},
        search={"trials": 9, "anchors": 1.0, "designs": []},
    )  # fmt: skip
    cells = Counter((t.block, t.encoder.latent_dim) for t in trials_of(make_plan(spec)))
    assert cells == {(block, width): 1 for block in range(3) for width in (4, 8, 16)}


def test_a_spec_with_ranges_is_written_and_read_again(
    sweep: Callable[..., SweepSpec], tmp_path: Path
) -> None:
    spec = sweep(**SEARCHED)
    path = tmp_path / "space.yaml"
    path.write_text(yaml.safe_dump(spec.model_dump(mode="json")))
    assert read_study(SweepSpec, path) == spec
    assert spec != sweep()


def test_a_preset_and_a_setting_replace_a_range(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "name: a\n"
        "pretrain: {temperature: {loguniform: [0.05, 1.0]}}\n"
        "augmentations: {size: [0, 1], pool: {SignFlip: {p: {uniform: [0.1, 1]}}}}\n"
        "presets:\n"
        "  few: {pretrain: {temperature: {choice: [0.1, 0.5]}}}\n"
        "  one:\n"
        "    pretrain: {temperature: 0.1}\n"
        "    augmentations: {pool: {SignFlip: {p: {choice: [1]}}}}\n"
    )
    assert read_study(SweepSpec, path, preset="few").searched["pretrain.temperature"].options == (
        0.1,
        0.5,
    )
    one = read_study(SweepSpec, path, preset="one")
    assert not one.searched
    assert one.augmentations.pool["SignFlip"].p.kind == "choice"
    setting = {"pretrain.temperature": {"uniform": [0.2, 0.3]}}
    found = read_study(SweepSpec, path, overrides=setting).searched
    assert found["pretrain.temperature"].options == (0.2, 0.3)


MISTAKES = [
    ("encoder: {latent_dim: {choice: [64, 1]}}", ["line 2, encoder.latent_dim", "greater", "1)"]),
    ("encoder: {latent_dim: {uniform: [64, 128]}}", ["line 2, encoder.latent_dim", "{int: [a, b]"]),
    ("encoder: {dropout: {uniform: [0.5, 0.1]}}", ["line 2, encoder.dropout", "wrong way round"]),
    ("encoder: {dropout: {uniform: [0.5, 1.0]}}", ["line 2, encoder.dropout", "less than 1"]),
    ("encoder: {dropout: {unifrom: [0, 0.5]}}", ["line 2, encoder.dropout", "{uniform: [a, b]}"]),
    ("encoder: {dropuot: {uniform: [0, 0.5]}}", ["line 2, encoder.dropuot", "did you mean drop"]),
    ("pretrain: {steps: {choice: [100, 200]}}", ["line 2, pretrain.steps", "may not", "rungs"]),
    ("pretrain: {batch_size: {int: [64, 128]}}", ["line 2, pretrain.batch_size", "same batches"]),
    ("probe: {label_fraction: {choice: [0.1]}}", ["line 2, probe.label_fraction", "same labels"]),
    ("probe: {epochs_per_subject: {int: [9, 99]}}", ["line 2, probe.epochs_per_", "same epochs"]),
    ("pretrain: {check_interval: {int: [5, 9]}}", ["pretrain.check_interval", "may not", "stops"]),
    ("pretrain: {check_interval: 50}", ["line 2, pretrain.check_interval", "scheduler.grace"]),
    ("pretrain: {min_improvement: 0.1}", ["line 2, pretrain.min_impr", "scheduler stops trials"]),
    ("pretrain: {loss: {choice: [nt_xent, vicreg]}}", ["pretrain", "give projector mlp or linear"]),
    ("pretrain: {projector_dim: {uniform: [8, 9]}}", ["projector_dim", "counts whole things"]),
    ("encoder: {name: {choice: [SimpleSleepNet, Dilated]}}", ["name", "DilatedSleepNet?"]),
    ("probe: {C: {loguniform: [0, 1]}}", ["line 2, probe.C", "above 0"]),
    ("searched: {}", ["line 2, searched", "unknown key"]),
]


@pytest.mark.parametrize(("line", "said"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_range_that_does_not_fit_is_named_with_its_place(
    tmp_path: Path, line: str, said: list[str]
) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(f"name: a\n{line}\naugmentations: {{size: [0, 1], pool: {{SignFlip: {{}}}}}}\n")
    with pytest.raises(UserError) as caught:
        read_study(SweepSpec, path)
    message = str(caught.value)
    assert all(text in message for text in [str(path), *said]), message


def test_the_table_has_a_column_for_each_searched_scalar(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    plan = make_plan(sweep(**SEARCHED))
    records = [TrialRecord(slot.order, slot.kind, slot.design, slot.trial, error="no")
               for slot in plan.slots if slot.trial is not None]  # fmt: skip
    manifest = plan.manifest()
    study = StudyInfo.of_plain(manifest["study"])
    assert study.searched == (
        "encoder.latent_dim", "encoder.dropout", "pretrain.temperature", "probe.C"
    )  # fmt: skip
    trials = build_table(records, study, manifest["provenance"]).trials
    for path in study.searched:
        assert list(trials[f"hp.{path}"]) == [t.parts.value(path) for t in trials_of(plan)]
    assert not [c for c in trials if str(c) == "hp.pretrain.learning_rate"]


def test_trials_of_a_block_share_the_weights_that_have_one_shape() -> None:
    narrow, wide = (EncoderSpec(latent_dim=width).build(1, 7).state_dict() for width in (16, 32))
    same = [name for name in narrow if narrow[name].shape == wide[name].shape]
    assert any(name.startswith("convolutions.0") for name in same)
    for name in same:
        torch.testing.assert_close(narrow[name], wide[name], rtol=0, atol=0)
