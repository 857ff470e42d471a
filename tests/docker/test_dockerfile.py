"""What the image is made of, as far as it can be read; `test_rehearsal` makes it."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from rehearsal import instructions

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
FILE = list(instructions(DOCKER / "Dockerfile"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = ("cmaes", "gp", "tensorboard", "server")


def pinned() -> dict[str, Version]:
    lines = [line.split("==") for line in (DOCKER / "requirements.txt").read_text().splitlines()]
    return {canonicalize_name(name): Version(version) for name, version in lines}


def asked() -> Iterator[Requirement]:
    """What the project asks for, and what each of its pinned packages does."""
    wanted = [*PROJECT["dependencies"], "hatchling"]
    for extra in EXTRAS:
        wanted += PROJECT["optional-dependencies"][extra]
    for text in wanted:
        yield Requirement(text)


def test_every_package_is_pinned_to_a_version_that_the_project_allows() -> None:
    versions = pinned()
    for wanted in asked():
        assert versions[canonicalize_name(wanted.name)] in wanted.specifier, wanted
    assert all(version.local is None for version in versions.values())  # of a build for a CPU


def test_what_the_pinned_packages_ask_for_is_pinned_too() -> None:
    """As far as they are installed here, in these versions."""
    versions, seen = pinned(), 0
    for name in versions:
        try:
            texts = requires(name) or []
        except ModuleNotFoundError:
            continue
        for wanted in map(Requirement, texts):
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                seen += 1
                assert canonicalize_name(wanted.name) in versions, f"{name} needs {wanted}"
    assert seen > 100


def test_the_image_runs_as_nobody_special_and_tells_its_health() -> None:
    names = [name for name, _ in FILE]
    last = len(names) - names[::-1].index("FROM")
    final = dict(FILE[last:])
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", final["USER"])
    assert names.index("HEALTHCHECK") > last
    assert not [text for name, text in FILE if re.search("PASSWORD|TOKEN|SECRET", text)]


def test_the_base_is_pinned_to_a_release() -> None:
    bases = [text.partition("=")[2] for name, text in FILE if text.startswith("BASE=")]
    assert [bool(re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base)) for base in bases] == [True]
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert bases[0].split(":")[1].startswith(f"{lowest}.")


def test_the_context_holds_what_is_copied_and_nothing_else() -> None:
    copied = {
        word for name, text in FILE if name == "COPY" and not text.startswith("--from")
        for word in text.split()[:-1]
    }  # fmt: skip
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


@pytest.mark.skipif(not shutil.which("hadolint"), reason="hadolint is not installed")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(["hadolint", DOCKER / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_shellcheck_finds_nothing() -> None:
    scripts = sorted(DOCKER.glob("*.sh"))
    assert scripts
    done = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
