"""What the image is made of, as far as it can be read; `test_rehearsal` makes it."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from rehearsal import instructions

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
FILE = list(instructions(DOCKER / "Dockerfile"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_all_that_is_installed_is_pinned_and_a_wheel_but_for_the_code() -> None:
    commands = [part for name, text in FILE if name == "RUN" for part in text.split("&&")]
    *needed, code = [" ".join(part.split()) for part in commands if "pip install" in part]
    assert needed
    for install in needed:
        assert "--only-binary :all:" in install
        assert "-c constraints.txt" in install
    assert code.endswith("pip install --no-deps --no-build-isolation .")
    extras = re.findall(r"\.\[([\w,]+)\]", needed[-1])[0].split(",")
    assert set(extras) <= set(PROJECT["optional-dependencies"])


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
