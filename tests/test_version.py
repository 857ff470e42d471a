"""What sleepsweep calls itself: as a wheel, installed to be edited, and not installed at all."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sleepsweep import version
from sleepsweep.version import NOT_INSTALLED, installed_version

ROOT = Path(__file__).parents[1]
EDITABLE = json.dumps({"url": "file:///src", "dir_info": {"editable": True}})
FOLDER = json.dumps({"url": "file:///src", "dir_info": {}})
ARCHIVE = json.dumps({"url": "https://example.org/s.whl", "archive_info": {}})


@pytest.mark.parametrize(
    ("built", "origin", "said"),
    [
        ("0.1.0", None, "0.1.0"),
        ("0.1.0", ARCHIVE, "0.1.0"),
        ("0.1.1.dev5+gabc1234", FOLDER, "0.1.1.dev5+gabc1234"),
        ("0.1.0", EDITABLE, "0.1.0+editable"),
        ("0.1.1.dev5+gabc1234", EDITABLE, "0.1.1.dev0+editable"),
        ("0.1.1.dev12+gabc.d20261127", EDITABLE, "0.1.1.dev0+editable"),
    ],
)
def test_an_editable_install_names_no_commit(
    built: str, origin: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = SimpleNamespace(version=built, read_text=lambda name: origin)
    monkeypatch.setattr(version, "distribution", lambda name: found)
    assert installed_version() == said


def test_a_folder_on_the_path_needs_no_installation() -> None:
    code = "import sleepsweep; print(sleepsweep.__version__)"
    done = subprocess.run(
        [sys.executable, "-P", "-S", "-c", code], env={"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{NOT_INSTALLED}\n"


def told(folder: Path, **environment: str) -> str:
    """The version that a build of `folder` would have."""
    line = [sys.executable, "-P", "-m", "hatchling", "version"]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SETUPTOOLS_")}
    done = subprocess.run(
        line, cwd=folder, env=clean | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_build_is_called_after_the_tag(tmp_path: Path) -> None:
    pytest.importorskip("hatch_vcs")
    pyproject = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(pyproject)
    for name in ("README.md", "LICENSE"):
        (tmp_path / name).touch()
    for name in (".gitattributes", ".git_archival.txt"):
        shutil.copy(ROOT / name, tmp_path)

    def git(*words: str) -> str:
        own = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        line = ["git", "-C", str(tmp_path), *own, *words]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()

    assert told(tmp_path) == NOT_INSTALLED
    assert told(tmp_path, SETUPTOOLS_SCM_PRETEND_VERSION="0.3.0") == "0.3.0"
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    assert told(tmp_path).startswith("0.1.dev1+g")
    git("tag", "v0.3.0")
    assert told(tmp_path) == "0.3.0"
    git("commit", "--quiet", "--allow-empty", "--message", "second")
    revision = told(tmp_path).removeprefix("0.3.1.dev1+g")
    assert git("rev-parse", "HEAD").startswith(revision)
    git("archive", "--prefix", "archived/", "--output", "archived.tar", "HEAD")
    shutil.unpack_archive(tmp_path / "archived.tar", tmp_path / "elsewhere")
    of_archive = told(tmp_path / "elsewhere" / "archived").removeprefix("0.3.1.dev1+g")
    assert git("rev-parse", "HEAD").startswith(of_archive)
