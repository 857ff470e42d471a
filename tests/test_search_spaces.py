from pathlib import Path

import pytest

from sleepsweep.specfile import read_spec

SPACES = sorted((Path(__file__).parent.parent / "search_spaces").glob("*.yaml"))


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_every_search_space_of_the_repository_is_valid(path: Path) -> None:
    assert read_spec(path).name == path.stem


def test_there_are_search_spaces() -> None:
    assert {"quickstart", "aug_ablation"} <= {path.stem for path in SPACES}
