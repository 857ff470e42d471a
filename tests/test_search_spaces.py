import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
import yaml

from sleepsweep.augment import augmentation
from sleepsweep.baselines import BASELINES
from sleepsweep.confirmation import make_confirmation
from sleepsweep.designs import DesignSpec
from sleepsweep.designs.base import Frame
from sleepsweep.errors import UserError
from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.forecast import simulated
from sleepsweep.plan import make_plan
from sleepsweep.search.samplers import SAMPLERS
from sleepsweep.spec.sections import SchedulerSpec
from sleepsweep.spec.specfile import read_study
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep_analysis import analyse
from sleepsweep_analysis.simulation import PublishedNoise

FOLDER = Path(__file__).parent.parent / "search_spaces"
EXPERIMENTS = sorted((*FOLDER.glob("experiments/*.yaml"), FOLDER / "published/finetune.yaml"))
SPACES = sorted({*FOLDER.rglob("*.yaml")} - {*EXPERIMENTS})
README = (FOLDER / "README.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def name_of(path: Path) -> str:
    """A file's own name, after that of the published study where it is of that."""
    return f"published_{path.stem}" if path.parent.name == "published" else path.stem


@pytest.mark.parametrize("path", SPACES, ids=name_of)
def test_every_search_space_of_the_repository_is_valid(path: Path) -> None:
    assert read_study(SweepSpec, path).name == name_of(path)


@pytest.mark.parametrize("path", SPACES, ids=name_of)
def test_every_search_space_of_the_repository_has_a_plan(path: Path) -> None:
    preset = None if path.stem == "quickstart" else "smoke"
    plan = make_plan(read_study(SweepSpec, path, preset=preset))
    assert {slot.block for slot in plan.slots} == set(range(plan.spec.split.blocks))


def counted() -> list[tuple[str, str | None, int]]:
    """The files and presets of the table in README.md, and the trials that it gives them."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]]
            for line in README.partition("\n\nTrials include")[0].splitlines()[4:]]  # fmt: skip
    found, file = [], ""
    for named, _, trials, *_ in rows:
        names = re.findall(r"`([\w./]+)`", named)
        file = names.pop(0) if ".yaml" in named else file
        found.append((file, names[0] if names else None, int(trials)))
    return found


@pytest.mark.parametrize(("file", "preset", "trials"), counted())
def test_the_table_counts_the_trials_of_a_plan(file: str, preset: str | None, trials: int) -> None:
    # However many people it reads, and whatever its batches.
    nights = {"source": "simulated", "simulated": {"subjects": 8}, "normalize": "none"}
    small = {"data": nights, "pretrain.batch_size": 16}
    plan = make_plan(read_study(SweepSpec, FOLDER / file, preset=preset, overrides=small))
    assert len(plan.slots) == trials


@pytest.mark.parametrize("path", EXPERIMENTS, ids=name_of)
def test_every_experiment_of_the_repository_is_valid(path: Path) -> None:
    assert read_study(ExperimentSpec, path).name == name_of(path)


def test_there_are_search_spaces() -> None:
    assert {"quickstart", "aug_ablation", "published_singles"} <= set(map(name_of, SPACES))
    assert {"example"} <= {path.stem for path in EXPERIMENTS}


def test_the_example_of_the_readme_is_a_grid(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(EXAMPLES[0])
    spec = read_study(SweepSpec, path)
    assert list(spec.searched) == ["encoder.latent_dim"]
    assert spec.search.trials == 3 * spec.split.blocks


def sets_of(spec: SweepSpec) -> set[frozenset[str]]:
    frame = Frame("published", spec.augmentations, spec.split.blocks, spec.seed)
    policies = (policy for item in spec.search.designs for policy in item.design.lay_out(frame, 0))
    return {frozenset(member.name for member in policy) for policy in policies}


def test_every_set_of_the_published_study_is_run(shared_data: Path) -> None:
    rows = pd.read_csv(shared_data / "published.csv", dtype={"section": str})
    path = FOLDER / "published/as_published.yaml"
    for preset, sections in [("smoke", ["8.1", "8.2"]), ("combinations", ["8.3", "8.4"])]:
        names = rows.loc[rows["section"].isin(sections), "augmentations"].str.split("+")
        published = {frozenset(augmentation(name).__name__ for name in each) for each in names}
        assert published <= sets_of(read_study(SweepSpec, path, preset=preset))


def test_the_published_protocol_is_told_of_in_the_report() -> None:
    path = FOLDER / "published/as_published.yaml"
    plan = make_plan(read_study(SweepSpec, path, preset="smoke"))
    assert plan.test == ()
    analysis = analyse(simulated(plan, PublishedNoise(0).score))
    raised = {check.code for check in analysis.checks if check.level != "green"}
    assert {"LEAK_TEST", "SEED_IS_SPLIT", "NO_BASELINE"} <= raised
    with pytest.raises(UserError, match="as_published sets nobody aside"):
        make_confirmation(plan, [], 2, [])


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
