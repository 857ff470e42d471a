"""A tiny experiment: on the five simulated subjects of the tiny search space, seconds long."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sleepsweep.data.store import Store
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.run import run_experiment
from sleepsweep.experiment.setting import Setting, make_setting
from sleepsweep.experiment.spec import ExperimentSpec, Stage
from sleepsweep.experiment.stages import Found

TREE: dict[str, Any] = {
    "name": "tiny",
    "question": "Does <b>it</b> run?",
    "data": {"source": "simulated", "simulated": {"subjects": 5}},
    "split": {"blocks": 2, "test": 0.2, "validation": 0.25},
    "encoder": {"latent_dim": 16},
    "pretrain": {"batch_size": 16, "steps": 4, "check_interval": 2, "min_improvement": 0.0},
    "probe": {"epochs_per_subject": 40},
    "policy": [{"TimeWarping": {"severity": 0.5, "p": 0.5}}, "SignFlip"],
    "finetune": {"batch_size": 16, "steps": 4, "check_interval": 4},
    "latent": {"most_epochs": 60, "pictures": ["pca"]},
    "device": "cpu",
}


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.started: list[Stage] = []
        self.told: list[tuple[Stage, int, dict[str, float]]] = []
        self.found: dict[Stage, Found] = {}

    def stage_started(self, stage: Stage) -> None:
        self.started.append(stage)

    def stage_told(self, stage: Stage, step: int, values: Mapping[str, float]) -> None:
        self.told.append((stage, step, dict(values)))

    def stage_ended(self, stage: Stage, found: Found) -> None:
        self.found[stage] = found


Run = Callable[..., tuple[ExperimentFolder, Heard]]


@pytest.fixture(scope="session")
def tree() -> Callable[..., dict[str, Any]]:
    """Return the tiny experiment as YAML has it, with some sections changed."""

    def changed(**changes: Any) -> dict[str, Any]:
        made = dict(TREE)
        for key, value in changes.items():
            made[key] = {**made[key], **value} if isinstance(value, dict) else value
        return made

    return changed


@pytest.fixture(scope="session")
def setting(store: Store, tree: Callable[..., dict[str, Any]]) -> Callable[..., Setting]:
    """Return the tiny experiment, ready to run, with some sections changed."""
    return lambda **changes: make_setting(ExperimentSpec.model_validate(tree(**changes)))


@pytest.fixture(scope="session")
def run(setting: Callable[..., Setting]) -> Run:
    """Run the tiny experiment in a folder, and return that and what was heard."""

    def call(
        path: Path, only: Stage | None = None, **changes: Any
    ) -> tuple[ExperimentFolder, Heard]:
        made, folder, heard = setting(**changes), ExperimentFolder(path), Heard()
        with folder.locked():
            folder.begin(made.spec, made.facts(), fresh=False)
            run_experiment(made, folder, [heard], only)
        return folder, heard

    return call


@pytest.fixture(scope="session")
def whole(run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentFolder, Heard]:
    """The folder of the tiny experiment, run from end to end, and what was heard. Not to change."""
    return run(tmp_path_factory.mktemp("whole") / "tiny")
