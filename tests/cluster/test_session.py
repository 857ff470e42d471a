"""How many trials run at once, and in how many processes."""

import pytest
import torch

from sleepsweep.cluster import session
from sleepsweep.cluster.session import concurrent, processes
from sleepsweep.spec.sections import ResourcesSpec


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of sixteen processors and two GPUs."""
    monkeypatch.setattr(session, "cpu_count", lambda: 16)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize(
    ("given", "at_once", "trained_by"),
    [
        ({}, 16, 16),
        ({"cpus_per_trial": 5}, 3, 3),
        ({"cpus_per_trial": 5, "pack": 4}, 12, 3),
        ({"gpus_per_trial": 0.25}, 8, 8),
        ({"gpus_per_trial": 1.0, "pack": 16}, 32, 2),
        ({"gpus_per_trial": 0.5, "pack": 16}, 64, 4),
        ({"gpus_per_trial": 1.0, "pack": 16, "concurrent": 17}, 17, 2),
        ({"pack": "auto"}, 16, 16),  # without a GPU there is nothing to measure
    ],
)
def test_processes_train_as_many_as_a_pack_has(
    given: dict[str, object], at_once: int, trained_by: int
) -> None:
    resources = ResourcesSpec.model_validate(given)
    assert (concurrent(resources), processes(resources)) == (at_once, trained_by)


def test_on_a_full_gpu_packs_are_halved_and_then_processes() -> None:
    resources = ResourcesSpec(gpus_per_trial=0.5, pack=5)
    told = [resources.trials_per_gpu]
    while resources.trials_per_gpu > 1:
        resources = resources.with_fewer_on_a_gpu()
        told.append(resources.trials_per_gpu)
    assert told == [10, 4, 2, 1]
