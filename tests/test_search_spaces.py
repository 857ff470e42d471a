import re
from pathlib import Path

import pytest

from sleepsweep.specfile import read_spec

SPACES = sorted((Path(__file__).parent.parent / "search_spaces").glob("*.yaml"))


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_every_search_space_of_the_repository_is_valid(path: Path) -> None:
    assert read_spec(path).name == path.stem


def test_there_are_search_spaces() -> None:
    assert {"quickstart", "aug_ablation"} <= {path.stem for path in SPACES}


def test_the_example_of_the_readme_is_a_grid(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", (SPACES[0].parent / "README.md").read_text(), re.S)
    path = tmp_path / "example.yaml"
    path.write_text(examples[0])
    spec = read_spec(path)
    assert list(spec.searched) == ["encoder.latent_dim"]
    assert spec.search.trials == 3 * spec.split.blocks
