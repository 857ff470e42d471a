"""What tests of several parts share: a store of simulated nights, and trials made for it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sleepsweep import cli
from sleepsweep.data.preparation import prepare
from sleepsweep.data.source import DataSpec
from sleepsweep.data.store import Store
from sleepsweep.plan import Plan, make_plan
from sleepsweep.spec.sweepspec import SweepSpec

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


def merged(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the tiny search space with some sections changed."""
    tree = {key: dict(value) if isinstance(value, dict) else value for key, value in TINY.items()}
    for key, value in changes.items():
        tree[key] = {**tree[key], **value} if isinstance(value, dict) else value
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


@pytest.fixture
def sweep() -> Callable[..., SweepSpec]:
    """Return the tiny search space, validated, with some sections changed."""
    return lambda **changes: SweepSpec.model_validate(merged(changes))


@pytest.fixture(scope="session")
def store(_cache: None) -> Store:
    """The tiny search space's store, of five simulated subjects."""
    return prepare(DataSpec.model_validate(TINY["data"]))


@pytest.fixture
def plan(sweep: Callable[..., SweepSpec], store: Store) -> Plan:
    """The plan of the tiny search space."""
    return make_plan(sweep())


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings and statistics, named by ``$SLEEPSWEEP_DATA``."""
    named = os.environ.get("SLEEPSWEEP_DATA")
    if not named:
        pytest.skip("needs real recordings: set SLEEPSWEEP_DATA to their folder")
    return Path(named)
