"""Names of augmentations, and those that other packages bring: the example of the documentation."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sleepsweep.augment import SignFlip, augmentations, registry

DOCS = Path(__file__).parents[2] / "docs"
OWN_PAGE = (DOCS / "own-augmentation.md").read_text()
PACKAGE = {
    language: re.search(rf"^```{language}\n(.*?)^```$", OWN_PAGE, re.M | re.S)
    for language in ("python", "toml")
}
Install = Callable[[str], Path]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Install the package of the documentation, with its class renamed, for other processes."""
    code, project = (found.group(1) for found in PACKAGE.values() if found)

    def installed(name: str) -> Path:
        group = tomllib.loads(project)["project"]["entry-points"][registry.ENTRY_POINTS]
        lines = [f"{key} = {value}" for key, value in group.items()]
        points = "\n".join([f"[{registry.ENTRY_POINTS}]", *lines])
        info = tmp_path / "lab_drift-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Name: lab-drift\nVersion: 1\n")
        (info / "entry_points.txt").write_text(points.replace("RandomDrift", name))
        (tmp_path / "lab_drift.py").write_text(code.replace("RandomDrift", name))
        return tmp_path

    return installed


def run(package: Path, code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(package), "COLUMNS": "200"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_example_of_the_documentation_is_legal_in_yaml_and_listed(install: Install) -> None:
    code = """
import pickle, torch, yaml
from rich.console import Console
from sleepsweep.augment import Signal
from sleepsweep.terminal.augmentations import augmentation_list
from sleepsweep.spec.pool import AugmentationsSpec
from sleepsweep.trial import MemberSpec

text = "{size: [0, 3], pool: {RandomDrift: {severity: {uniform: [0.1, 1.0]}}, SignFlip: }}"
pool = AugmentationsSpec.model_validate(yaml.safe_load(text))
pool.check(Signal())
print(list(pool.members))
strong = MemberSpec(name="RandomDrift", p=1.0, severity=1.0).build().augmentation
x = torch.zeros(200, 2, 301, dtype=torch.float64)
drifts = strong(x, torch.Generator().manual_seed(0))
print(int((drifts[:, 0, -1] - drifts[:, 0, 0]).abs().max().round()))
assert torch.equal(strong.at_severity(0)(x, torch.Generator()), x)
assert pickle.loads(pickle.dumps(strong)) == strong
Console().print(augmentation_list())
"""
    ended = run(install("RandomDrift"), code)
    assert ended.returncode == 0, ended.stderr
    members, largest, *listed = ended.stdout.splitlines()
    assert members == "['RandomDrift', 'SignFlip', 'Placebo']"
    assert largest in ("79", "80")
    assert any("RandomDrift" in line and "max_drift_uv=20" in line for line in listed)


def test_a_name_that_is_used_already_is_an_error(install: Install) -> None:
    package = install("SignFlip")
    for lookup in ("augmentation('TimeWarping')", "augmentations()"):
        ended = run(package, f"import sleepsweep.augment as a; a.{lookup}")
        assert ended.returncode == 1
        assert "augmentation name 'SignFlip' is used twice" in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("Flip", "sleepsweep.augment:SignFlip"), ("path", "os:path")]
)
def test_an_entry_point_names_an_augmentation_by_its_name(monkeypatch, name, value) -> None:
    point = EntryPoint(name, value, registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    with pytest.raises(TypeError, match=rf"entry point {name} = .*is no Augmentation of that name"):
        registry._load_entry_points.__wrapped__()


def test_entry_points_are_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    augmentations()
    monkeypatch.setattr(registry, "entry_points", lambda group: 1 / 0)
    assert augmentations()["SignFlip"] is SignFlip


OWN = [
    name
    for name, kind in augmentations().items()
    if kind.__module__.startswith("sleepsweep.") and kind.category != "placebo"
]


@pytest.mark.parametrize("name", OWN)
def test_the_documentation_has_a_row_of_each(name: str) -> None:
    rows = [
        line
        for line in (DOCS / "augmentations.md").read_text().splitlines()
        if re.match(rf"\| \w+ \| {name}\b", line)
    ]
    kind = augmentations()[name]
    assert len(rows) == 1
    if kind.dial is not None:
        values = [getattr(kind.at_severity(s), kind.dial.field) for s in (0.25, 0.5, 0.75, 1)]
        shown = [f"{v}" if isinstance(v, int) else f"{v:.3g}" for v in values]
        shown[1] = f"**{shown[1]}**"
        assert rows[0].endswith(f"| {kind.dial.field} {', '.join(shown)} |")
    else:
        assert rows[0].endswith("| – |")
