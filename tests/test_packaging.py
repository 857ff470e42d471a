"""What is asked for, pinned and installed by CI is one; so is what calls a release by its name."""

import re
import runpy
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
RUN = (ROOT / ".ci" / "run").read_text()


def pinned() -> dict[str, Version]:
    lines = [line.partition("#")[0].strip() for line in CONSTRAINTS.splitlines()]
    pairs = [line.split("==") for line in lines if line]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def asked() -> Iterator[Requirement]:
    """What the project asks for, in its extras too, but for what it asks of itself."""
    for requirement in map(Requirement, [*PROJECT["dependencies"], *chain(*EXTRAS.values())]):
        if requirement.name != PROJECT["name"]:
            yield requirement


BUILD = map(Requirement, PYPROJECT["build-system"]["requires"])


@pytest.mark.parametrize("wanted", [*asked(), *BUILD], ids=str)
def test_what_is_asked_for_is_pinned_to_a_version_that_is_allowed(wanted: Requirement) -> None:
    assert pinned()[canonicalize_name(wanted.name)] in wanted.specifier


def test_what_the_pinned_packages_ask_for_is_pinned_too() -> None:
    """As far as they are installed here in these versions; torch for CUDA pins what it needs."""
    versions, seen = pinned(), 0
    for found in distributions():
        name = canonicalize_name(found.name)
        if name == "torch" or versions.get(name) != Version(found.version):
            continue
        for wanted in map(Requirement, found.requires or []):
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                seen += 1
                assert canonicalize_name(wanted.name) in versions, f"{name} needs {wanted}"
    assert seen


def test_the_constraints_say_how_they_were_made_and_name_no_index_and_no_build() -> None:
    head, _, pins = CONSTRAINTS.partition("==")
    assert "make constraints" in head
    assert re.search(r"^constraints:", MAKEFILE, re.MULTILINE)
    assert not re.search(r"://|^--", CONSTRAINTS, re.MULTILINE)
    assert all(version.local is None for version in pinned().values())  # torch's, for the CPU
    assert pins


def test_the_oldest_versions_are_those_of_the_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / ".ci" / "oldest.py"))
    printed = dict(line.split("==") for line in capsys.readouterr().out.splitlines())
    for wanted in asked():
        lowest = {bound.version for bound in wanted.specifier if bound.operator == ">="}
        assert lowest == {printed[wanted.name]}, wanted


def test_what_names_a_release_names_one() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    told = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    named = {cited, told and told[1]}
    for path in (ROOT / "docker").iterdir():
        if path.is_file():
            named |= set(re.findall(r"(?:sleepsweep:|ARG VERSION=)(\d\S*)", path.read_text()))
    assert named == {cited}
    assert re.fullmatch(r"\d+\.\d+\.\d+", cited)


def steps(job: str) -> list[str]:
    return [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]


def test_the_workflow_runs_what_is_there() -> None:
    assert steps("everything") == [".ci/run"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    targets = set(re.findall(r"^([\w-]+):", MAKEFILE, re.MULTILINE))
    assert {"check", "test", "bench", "docs"} <= targets
    for job in WORKFLOW["jobs"]:
        said = "\n".join(steps(job))
        assert set(re.findall(r"make (\w+)", said)) <= targets
        assert all((ROOT / path).exists() for path in re.findall(r"\.ci/[\w.]+", said))
        assert set(chain(*(e.split(",") for e in re.findall(r"\.\[([\w,]+)\]", said)))) <= set(
            EXTRAS
        )


def test_every_job_sees_the_tags_that_a_version_is_told_from() -> None:
    for job in WORKFLOW["jobs"].values():
        checkouts = [step for step in job["steps"] if "checkout" in step.get("uses", "")]
        assert [step["with"]["fetch-depth"] for step in checkouts] == [0]


def test_the_oldest_python_that_is_allowed_is_run_by_ci() -> None:
    lowest = PROJECT["requires-python"].removeprefix(">=")
    for job in ("everything", "oldest-versions"):
        (python,) = [
            step["with"]
            for step in WORKFLOW["jobs"][job]["steps"]
            if "setup-python" in step.get("uses", "")
        ]
        assert python["python-version"] == lowest


def test_a_commit_is_judged_by_the_commands_of_check_and_of_ci() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    entries = {hook["entry"].removesuffix(" --fix") for hook in hooks}
    recipe = MAKEFILE.partition("check:")[2].partition("\n\n")[0].splitlines()[1:]
    commands = [line.strip() for line in recipe]
    assert {re.sub(r" --check| \.", "", line) for line in commands} == entries
    assert all(f'" {line}\n' in RUN for line in commands)
