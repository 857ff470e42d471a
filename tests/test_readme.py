"""The README's commands, links and claims about files are what the repository holds."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [path for path in ROOT.rglob("*.md") if not {".venv", "runs"} & set(path.parts)]


def test_two_blocks_are_run_by_ci_and_they_are_the_main_job_and_the_tests() -> None:
    blocks = re.findall(r"^```sh ci\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert blocks == [
        "pip install . && sleepsweep launch search_spaces/quickstart.yaml\n",
        'pip install -e ".[dev]" && pytest -n 2 --dist loadfile\n',
    ]
    assert "sh ci" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_command_and_option_that_it_names_exists() -> None:
    from typer.main import get_command

    from sleepsweep.cli import app

    commands = get_command(app).commands
    for name in re.findall(r"`(\w+) (?:SPACE\.yaml|SWEEP)`", README):
        assert name in commands
    options = {option for param in commands["launch"].params for option in param.opts}
    assert set(re.findall(r"`(--[a-z-]+)", README)) <= options


def test_every_search_space_is_described() -> None:
    described = (ROOT / "search_spaces" / "README.md").read_text()
    for path in (ROOT / "search_spaces").glob("*.yaml"):
        assert f"`{path.name}`" in described
