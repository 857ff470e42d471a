"""The tree as ARCHITECTURE means it: imports point down only, files and functions stay small."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {"sleepsweep": ROOT / "sleepsweep", "sleepsweep_analysis": ROOT / "analysis"}
FILES = sorted([*(ROOT / "sleepsweep").rglob("*.py"), *(ROOT / "analysis").rglob("*.py")])

LONGEST_FILE, LONGEST_FUNCTION = 400, 60

# Each layer may import from itself and from those above it in this list, which is bottom up.
LAYERS: list[tuple[str, ...]] = [
    (
        "sleepsweep",
        "sleepsweep.errors",
        "sleepsweep.exitstatus",
        "sleepsweep.replacing",
        "sleepsweep.progress",
        "sleepsweep.rayenv",
        "sleepsweep.seeds",
        "sleepsweep.metrics",
        "sleepsweep.yamlfile",
        "sleepsweep.webpage",
        "sleepsweep.pictures",
        "sleepsweep.torchlater",
        "sleepsweep.version",
    ),
    ("sleepsweep.part", "sleepsweep.results", "sleepsweep.latent", "sleepsweep.scores"),
    ("sleepsweep.augment", "sleepsweep.data", "sleepsweep.learn"),
    ("sleepsweep.spec.ranges", "sleepsweep.trial", "sleepsweep.spec.pool", "sleepsweep.model"),
    (
        "sleepsweep.designs",
        "sleepsweep.spec.searched",
        "sleepsweep.baselines",
        "sleepsweep.probing",
        "sleepsweep.probedrun",
    ),
    ("sleepsweep.spec", "sleepsweep.published"),
    ("sleepsweep.space",),
    ("sleepsweep.probedrun", "sleepsweep.systemmetrics", "sleepsweep.folder"),
    ("sleepsweep.trainable", "sleepsweep.embeddings", "sleepsweep.policyexport"),
    ("sleepsweep.experiment",),
    ("sleepsweep.ready",),
    ("sleepsweep.evaluation",),
    ("sleepsweep.predict", "sleepsweep.explain"),
    ("sleepsweep.search",),
    ("sleepsweep.plan", "sleepsweep.tracking", "sleepsweep.cluster"),
    ("sleepsweep.confirmation", "sleepsweep.observer", "sleepsweep.worker"),
    ("sleepsweep.packs",),
    ("sleepsweep.sweep", "sleepsweep.tasks", "sleepsweep.export"),
    ("sleepsweep.forecast", "sleepsweep.packing"),
    ("sleepsweep.terminal", "sleepsweep.augmentpage"),
    ("sleepsweep.cli",),
    ("sleepsweep.__main__",),
]

# Whole packages that only these modules may import.
ONLY_IN = {
    "psutil": {"sleepsweep.systemmetrics"},
    "mlflow": {
        "sleepsweep.tracking.server",
        "sleepsweep.tracking.runs",
        "sleepsweep.tracking.savedmodel",
    },
    "optuna": {"sleepsweep.search.history", "sleepsweep.search.samplers"},
    "ray": {
        "sleepsweep.search.schedulers",
        "sleepsweep.search.searcher",
        "sleepsweep.packs.packedworker",
        "sleepsweep.sweep",
        "sleepsweep.tasks",
        "sleepsweep.cluster.nodes",
        "sleepsweep.cluster.session",
    },
    "sleepsweep_analysis": {
        "sleepsweep.cli.ranking",
        "sleepsweep.cli.reading",
        "sleepsweep.cli.reports",
        "sleepsweep.cli.confirm",
        "sleepsweep.cli.planning",
        "sleepsweep.cli.policy",
    },
}


def module_of(path: Path) -> str:
    base = ROOT / "analysis" if (ROOT / "analysis") in path.parents else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> int | None:
    names = {name: level for level, layer in enumerate(LAYERS) for name in layer}
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        name = ".".join(parts[:end])
        if name in names and (end > 1 or len(parts) == 1):
            return names[name]
    return None


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_down_only(path: Path) -> None:
    module = module_of(path)
    if module.startswith("sleepsweep_analysis"):
        ours = {name for name in imports_of(path) if name.startswith("sleepsweep.")}
        assert all(name.startswith("sleepsweep.results") for name in ours), ours
        return
    own = layer_of(module)
    assert own is not None, f"{module} stands in no layer of this test"
    for name in imports_of(path):
        if name.startswith("sleepsweep.") and layer_of(name) is not None:
            assert layer_of(name) <= own, f"{module} imports {name} from a layer above it"


@pytest.mark.parametrize("part", ["augment", "data", "learn"])
def test_augment_data_and_learn_never_import_each_other(part: str) -> None:
    others = {f"sleepsweep.{name}" for name in ("augment", "data", "learn")} - {
        f"sleepsweep.{part}"
    }
    for path in (ROOT / "sleepsweep" / part).rglob("*.py"):
        assert not any(name.startswith(tuple(others)) for name in imports_of(path)), path


@pytest.mark.parametrize("package", ONLY_IN)
def test_some_packages_are_known_to_few_files(package: str) -> None:
    users = {
        module_of(path)
        for path in FILES
        for name in imports_of(path)
        if name.split(".")[0] == package and not module_of(path).startswith(package)
    }
    assert users == ONLY_IN[package]


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("sleepsweep", ["torch", "ray", "mlflow", "pandas"]),
        ("sleepsweep.cli", ["torch", "ray", "mlflow", "pandas"]),
        ("sleepsweep.trainable", ["ray", "mlflow", "optuna"]),
        ("sleepsweep.sweep", ["torch", "mlflow", "scipy", "sklearn"]),
        ("sleepsweep.learn.probe", ["torch"]),
        ("sleepsweep.terminal.standing", ["torch", "pandas", "scipy", "sklearn"]),
        ("sleepsweep.latent", ["torch", "umap", "matplotlib", "plotly"]),
        (
            "sleepsweep_analysis",
            ["torch", "ray", "mlflow", "optuna", "sklearn", "sleepsweep.spec.sweepspec"],
        ),
    ],
)
def test_an_import_loads_no_more_than_it_needs(module: str, unwanted: list[str]) -> None:
    code = f"import sys, {module}; print([m for m in {unwanted} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


HEAVY = ["torch", "ray", "mlflow", "optuna", "pandas", "pyarrow", "scipy", "sklearn", "mne"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["check", str(ROOT / "search_spaces" / "quickstart.yaml")], "valid. 13 drawn trials"),
        (["augment", "list"], "RandomAmplitudeScaling"),
    ],
    ids=["check", "augment list"],
)
def test_what_computes_nothing_imports_nothing_that_does(command: list[str], says: str) -> None:
    # A search space is checked after every edit, and torch alone takes longer than all of a check.
    code = f"import sys; from sleepsweep.cli import app; app({command}, standalone_mode=False); "
    code += f"print([m for m in {HEAVY} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert says in run.stdout
    assert run.stdout.splitlines()[-1] == "[]"


def test_the_analysis_is_imported_fast() -> None:
    # Modules and not seconds, which are those of the machine. There were 1,280 when this was
    # written; scikit-learn would be 350 more, and a third of the time.
    code = "import sys, sleepsweep_analysis; print(len(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 1500


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


def test_the_layers_name_modules_that_exist() -> None:
    known = {module_of(path) for path in FILES}
    assert {name for layer in LAYERS for name in layer} <= known
