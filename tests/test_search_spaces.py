import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import yaml

from sleepsweep.baselines import BASELINES
from sleepsweep.designs import DesignSpec
from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.search.samplers import SAMPLERS
from sleepsweep.spec.sections import SchedulerSpec
from sleepsweep.spec.specfile import read_study
from sleepsweep.spec.sweepspec import SweepSpec

FOLDER = Path(__file__).parent.parent / "search_spaces"
SPACES = sorted(FOLDER.glob("*.yaml"))
EXPERIMENTS = sorted((FOLDER / "experiments").glob("*.yaml"))
README = (FOLDER / "README.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_every_search_space_of_the_repository_is_valid(path: Path) -> None:
    assert read_study(SweepSpec, path).name == path.stem


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_experiment_of_the_repository_is_valid(path: Path) -> None:
    assert read_study(ExperimentSpec, path).name == path.stem


def test_there_are_search_spaces() -> None:
    assert {"quickstart", "aug_ablation"} <= {path.stem for path in SPACES}
    assert {"example"} <= {path.stem for path in EXPERIMENTS}


def test_the_example_of_the_readme_is_a_grid(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(EXAMPLES[0])
    spec = read_study(SweepSpec, path)
    assert list(spec.searched) == ["encoder.latent_dim"]
    assert spec.search.trials == 3 * spec.split.blocks


def rows_under(heading: str) -> list[str]:
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \| ", section, re.MULTILINE)


def test_the_readme_tells_of_every_sampler_and_scheduler() -> None:
    assert set(rows_under("Search")) == set(SAMPLERS)
    assert rows_under("Early stopping") == list(
        get_args(SchedulerSpec.model_fields["name"].annotation)
    )


def test_the_readme_tells_of_every_baseline() -> None:
    assert rows_under("Baselines") == list(BASELINES)


def test_the_readme_tells_of_every_design_and_its_example_is_legal(
    sweep: Callable[..., SweepSpec],
) -> None:
    assert rows_under("Designs") == list(DesignSpec.model_fields)
    pool = read_study(SweepSpec, FOLDER / "aug_ablation.yaml").augmentations.model_dump(mode="json")
    spec = sweep(augmentations=pool, **yaml.safe_load(EXAMPLES[1]))
    counts = [item.design.count(spec.augmentations, 1) for item in spec.search.designs]
    assert counts == [15, 5]
