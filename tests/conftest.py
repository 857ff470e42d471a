"""What tests of several parts share: a store of simulated nights, trials and an experiment."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sleepsweep import cli
from sleepsweep.data.preparation import prepare
from sleepsweep.data.source import DataSpec
from sleepsweep.data.store import Store
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.run import run_experiment
from sleepsweep.experiment.setting import Setting, make_setting
from sleepsweep.experiment.spec import ExperimentSpec, Stage
from sleepsweep.experiment.stages import Found
from sleepsweep.plan import Plan, make_plan
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep_analysis.report.browser import Tab, find_browser, open_page

TINY: dict[str, Any] = {
    "name": "tiny",
    "question": "Does it run?",
    "data": {"source": "simulated", "simulated": {"subjects": 5}},
    "split": {"blocks": 1, "test": 0.2, "validation": 0.25},
    "encoder": {"latent_dim": 16},
    "pretrain": {"batch_size": 16, "steps": 4},
    "probe": {"epochs_per_subject": 40},
    "augmentations": {
        "size": [0, 3],
        "pool": {
            "RandomDCShift": {"severity": {"uniform": [0.1, 1.0]}, "p": {"uniform": [0.3, 1.0]}},
            "SignFlip": {"p": {"uniform": [0.3, 1.0]}},
            "TailoredMixup": {"severity": 0.5},
            "Permutation": {"n_segments": {"choice": [2, 4, 8]}},
        },
    },
    "search": {"trials": 6, "anchors": 0.34, "designs": ["none"], "baselines": False},
    "scheduler": {"grace_steps": 1, "factor": 2},
}

EXPERIMENT: dict[str, Any] = {
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


def merged(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the tiny search space with some sections changed."""
    tree = {key: dict(value) if isinstance(value, dict) else value for key, value in TINY.items()}
    for key, value in changes.items():
        tree[key] = {**tree.get(key, {}), **value} if isinstance(value, dict) else value
    return tree


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Keep prepared stores of the tests out of the user's cache."""
    before = os.environ.get("SLEEPSWEEP_CACHE")
    os.environ["SLEEPSWEEP_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["SLEEPSWEEP_CACHE"]
    else:
        os.environ["SLEEPSWEEP_CACHE"] = before


@pytest.fixture
def command_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in this process, and return what it said and how it ended."""

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = ["sleepsweep", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        return subprocess.CompletedProcess(command, int(ended.value.code or 0), said.out, said.err)

    return call


@pytest.fixture(scope="session")
def write_space() -> Callable[..., Path]:
    """Write the tiny search space, with some sections changed, into a folder; return its file."""

    def write(folder: Path, **changes: Any) -> Path:
        path = folder / "tiny.yaml"
        path.write_text(yaml.safe_dump(merged(changes)))
        return path

    return write


@pytest.fixture
def sweep() -> Callable[..., SweepSpec]:
    """Return the tiny search space, validated, with some sections changed."""
    return lambda **changes: SweepSpec.model_validate(merged(changes))


@pytest.fixture(scope="session")
def store(_cache: None) -> Store:
    """The tiny search space's store, of five simulated subjects."""
    return prepare(DataSpec.model_validate(TINY["data"]))


@pytest.fixture(scope="session")
def write_nights(store: Store) -> Callable[..., Path]:
    """Write some of the simulated epochs, all stages among them, as a folder of npz files.

    A file a subject, `names` theirs; `changes` replace arrays of each.
    """

    def write(folder: Path, names: Sequence[str], epochs: int = 40, **changes: Any) -> Path:
        folder.mkdir(parents=True)
        for place, name in enumerate(names):
            rows = store.rows([store.subjects[place % len(store.subjects)]])
            some = rows[:: len(rows) // epochs][:epochs]
            own = {"x": store.gather(some)[:, 0], "y": store.stages(some), "fs": 100,
                   "ch_label": "Fpz-Cz"}  # fmt: skip
            np.savez(folder / f"{name}.npz", **{**own, **changes})
        return folder

    return write


@pytest.fixture
def plan(sweep: Callable[..., SweepSpec], store: Store) -> Plan:
    """The plan of the tiny search space."""
    return make_plan(sweep())


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
        made = dict(EXPERIMENT)
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


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    """A tab of a real browser."""
    browser = find_browser()
    if browser is None:
        pytest.skip("no Chromium is installed")
    with open_page(browser) as opened:
        yield opened


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings and statistics, named by ``$SLEEPSWEEP_DATA``."""
    named = os.environ.get("SLEEPSWEEP_DATA")
    if not named:
        pytest.skip("needs real recordings: set SLEEPSWEEP_DATA to their folder")
    return Path(named)
