"""An exported policy makes the views that its sweep's pretraining made, and needs torch alone."""

import subprocess
import sys
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import torch
import yaml

from sleepsweep.augment import Policy, PolicyTransform, Signal
from sleepsweep.plan import Plan
from sleepsweep.policyexport import PolicyExport
from sleepsweep.probedrun import signal_of, views_of
from sleepsweep.trial import MemberSpec, TrialSpec

HEAVY = ["ray", "mlflow", "optuna", "pydantic", "pandas", "sklearn", "yaml"]


@pytest.fixture
def trial(plan: Plan) -> TrialSpec:
    """A trial that mixes, flips, shifts and permutes."""
    return next(s.trial for s in reversed(plan.slots) if s.kind == "anchor" and s.trial)


def changed(trial: TrialSpec, **fields: Any) -> TrialSpec:
    return TrialSpec.model_validate({**trial.model_dump(), **fields})


@pytest.mark.parametrize("choose", [None, 1])
@pytest.mark.parametrize("mix", ["store", "batch"])
def test_the_views_are_the_sweeps_own(
    plan: Plan, trial: TrialSpec, tmp_path: Path, mix: str, choose: int | None
) -> None:
    trial = changed(trial, mix_partner=mix, choose=choose)
    rows = plan.store.rows(trial.train)
    epochs = torch.from_numpy(plan.store.gather(rows[:16]))
    signal = signal_of(plan.store, trial.train)
    own = views_of(trial.build_policy().in_signal(signal), mix, plan.store, rows)

    def partners(count: int, generator: torch.Generator) -> torch.Tensor:
        picks = torch.randint(len(rows), (count,), generator=generator)
        return torch.from_numpy(plan.store.gather(rows[picks.numpy()]))

    path = PolicyExport.of(trial, plan.store, "From a test.").write(tmp_path / "policy")[1]
    transform = run_path(str(path))["policy_transform"]()
    draws = [torch.Generator().manual_seed(7) for _ in range(2)]
    expected = own(epochs, draws[0])
    found = transform.views(epochs, draws[1], partners if mix == "store" else None)
    assert all(torch.equal(one, two) for one, two in zip(expected, found, strict=True))
    assert not torch.equal(found[0], found[1])


def test_the_files_tell_where_the_policy_comes_from(trial: TrialSpec, plan: Plan) -> None:
    exported = PolicyExport.of(trial, plan.store, "The best of a test.")
    assert exported.as_yaml.startswith("# The best of a test.\n")
    assert exported.as_python.startswith('"""The best of a test.\n')
    content = yaml.safe_load(exported.as_yaml)
    members = [
        MemberSpec(name=name, p=values.pop("p"), severity=values.pop("severity", None),
                   parameters=values)
        for entry in content["policy"] for name, values in entry.items()
    ]  # fmt: skip
    assert tuple(members) == trial.policy
    assert Signal(**content["signal"]) == exported.signal


def test_the_module_needs_torch_and_the_augmentations_alone(
    trial: TrialSpec, plan: Plan, tmp_path: Path
) -> None:
    path = PolicyExport.of(trial, plan.store, "From a test.").write(tmp_path)[1]
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {path.stem}; "
    code += f"print([m for m in {HEAVY} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_no_augmentation_is_exported_too(trial: TrialSpec, plan: Plan, tmp_path: Path) -> None:
    none = changed(trial, policy=())
    path = PolicyExport.of(none, plan.store, "Nothing helped.").write(tmp_path)[1]
    epochs = torch.randn(4, 1, 3000)
    assert torch.equal(run_path(str(path))["policy_transform"]()(epochs), epochs)


def test_a_transform_is_a_module_that_repeats_by_torchs_seed(trial: TrialSpec) -> None:
    transform = torch.nn.Sequential(PolicyTransform(trial.build_policy(), Signal()))
    epochs = torch.randn(8, 1, 3000)
    before = epochs.clone()
    torch.manual_seed(3)
    one = transform(epochs)
    two = transform(epochs)
    torch.manual_seed(3)
    assert torch.equal(transform(epochs), one)
    assert not torch.equal(one, two)
    assert torch.equal(epochs, before)
    assert f"{trial.policy[0].name}(p=" in repr(transform)
    assert torch.equal(PolicyTransform(Policy(), Signal())(epochs), epochs)
