"""What the documentation shows is legal: descriptions, split files, commands."""

import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from sleepsweep.cli import app
from sleepsweep.data.edf.description import Description
from sleepsweep.data.split_file import ListedSplits

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DATA = (ROOT / "docs" / "data.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", DATA, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_of_files_are_legal(text: str) -> None:
    tree = yaml.safe_load(text)
    kind = ListedSplits if "blocks" in tree else Description
    assert kind.model_validate(tree)


def test_the_patterns_of_the_examples_find_whom_they_should() -> None:
    described = [Description.model_validate(yaml.safe_load(text)) for text in EXAMPLES[:2]]
    for description, path, groups in [
        (described[0], "a/P012_n2.edf", {"subject": "P012", "night": "2"}),
        (
            described[1],
            "sub-07/ses-1/eeg/sub-07_ses-1_task-sleep_eeg.edf",
            {"subject": "sub-07", "night": "1", "rest": "task-sleep_"},
        ),
    ]:
        assert description.person is not None
        found = re.search(description.person, path)
        assert found is not None
        assert found.groupdict() == groups


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_options_exist(page: Path) -> None:
    for block in re.findall(r"^```sh.*?\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in re.findall(r"sleepsweep ([^#\n]+)", block):
            words, command = line.split(), get_command(app)
            while hasattr(command, "commands"):
                command = command.commands[words.pop(0)]
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= known, line


IMAGES = ROOT / "docs" / "images"
TEXT = "".join(page.read_text() for page in PAGES) + (ROOT / "mkdocs.yml").read_text()


@pytest.mark.parametrize("image", sorted(IMAGES.iterdir()), ids=lambda image: image.name)
def test_pictures_are_shown_and_small(image: Path) -> None:
    assert f"images/{image.name}" in TEXT
    assert image.stat().st_size < 300_000


def test_the_tutorial_has_commands_that_ci_runs() -> None:
    tutorial = (ROOT / "docs" / "tutorial.md").read_text()
    blocks = re.findall(r"^```sh ci\n(.*?)^```$", tutorial, re.MULTILINE | re.DOTALL)
    assert "sleepsweep launch search_spaces/quickstart.yaml\n" in blocks
    assert all(block.startswith("sleepsweep ") for block in blocks)
    assert "blocks tutorial docs/tutorial.md" in (ROOT / ".ci" / "run").read_text()
