"""The site builds without a warning, holds every page, and its references are complete."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from sleepsweep.designs.registry import DesignSpec
from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.spec.sweepspec import SweepSpec

ROOT = Path(__file__).parents[2]

if not all(map(find_spec, ("mkdocs", "material", "mkdocstrings"))):
    pytest.skip("MkDocs is missing: pip install -e '.[docs]'", allow_module_level=True)


def build(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    # Strict: a page that is not in the navigation, a link or an anchor that leads nowhere, fails.
    ended = build(folder)
    assert ended.returncode == 0, ended.stderr
    return folder


def test_every_page_is_built_and_none_is_empty(site: Path) -> None:
    for page in (ROOT / "docs").glob("*.md"):
        built = site / page.with_suffix(".html").name
        assert len(built.read_text()) > 8_000, page
        assert "<!-- reference" not in built.read_text()


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    loaded = re.compile(r'<(?:script|img|iframe|link rel="?stylesheet"?)[^>]*(?:src|href)="?http')
    for page in site.rglob("*.html"):
        assert not loaded.search(page.read_text()), page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(.?http|@import", style.read_text()), style


def test_links_out_of_docs_lead_to_the_same_files_on_the_site(site: Path) -> None:
    assert (site / "benchmarks" / "planted.yaml").read_bytes() == (
        ROOT / "benchmarks" / "planted.yaml"
    ).read_bytes()
    report = (site / "analysis" / "index.html").read_text()
    assert "How to read a report" in report
    assert 'href="../docs/' not in (site / "search_spaces" / "index.html").read_text()


def test_the_reference_of_the_yaml_names_every_key(site: Path) -> None:
    text = (site / "yaml.html").read_text()
    for kind in (SweepSpec, ExperimentSpec):
        for key, entry in kind.model_fields.items():
            assert f"<code>{key}</code>" in text
            for inner in getattr(entry.annotation, "model_fields", {}):
                assert f"<code>{inner}</code>" in text, f"{key}.{inner}"
    assert "<code>presets</code>" in text
    for design in DesignSpec.model_fields:
        assert f'id="design-{design.replace("_", "-")}"' in text


def test_every_key_says_what_it_means() -> None:
    from docs.yaml_reference import yaml_reference

    rows = [line for line in yaml_reference().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert not [row for row in rows if row.count(" | ") == 3 and row.endswith("|  |")]


def test_a_key_is_described_by_its_type_and_its_bounds() -> None:
    from docs.yaml_reference import kind_of, meanings_of
    from sleepsweep.learn.pretrainspec import PretrainSpec

    entry = PretrainSpec.model_fields["projector_dim"]
    assert kind_of(entry.annotation, entry.metadata) == "whole number, from 2 to 8,192"
    clip = PretrainSpec.model_fields["clip_norm"]
    assert kind_of(clip.annotation, clip.metadata) == "number, above 0, or `null`"
    loss = PretrainSpec.model_fields["loss"]
    assert kind_of(loss.annotation, loss.metadata) == "`nt_xent`, `vicreg`"
    assert meanings_of(PretrainSpec)["batch_size"] == "Epochs of a step."


def test_the_reference_of_the_command_line_names_every_command_and_option(site: Path) -> None:
    from docs.command_reference import commands

    text = (site / "command-line.html").read_text()
    for path, command in commands():
        assert f'id="{path.replace(" ", "-")}"' in text
        for parameter in command.params:
            assert parameter.opts[0] in text or parameter.metavar in text


def test_every_argument_and_option_has_a_help_text() -> None:
    from docs.command_reference import commands

    without = [
        f"{path} {parameter.name}"
        for path, command in commands()
        for parameter in command.params
        if not parameter.help
    ]
    assert not without


def test_every_warning_is_explained(site: Path) -> None:
    from docs.warning_reference import warnings_by_code

    text = (site / "warnings.html").read_text()
    for codes, meaning in warnings_by_code():
        assert codes == codes.upper().replace(" AND ", " and ")
        assert meaning
        assert f"{codes}<a" in text


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# A\n\n[gone](gone.md) [lost](index.md#lost)\n")
    settings = (ROOT / "mkdocs.yml").read_text()
    checks = settings[settings.index("validation:") : settings.index("# Files that are not in")]
    (tmp_path / "mkdocs.yml").write_text(f"site_name: a\n{checks}")
    ended = build(tmp_path / "site", "--config-file", str(tmp_path / "mkdocs.yml"))
    assert ended.returncode == 1
    assert "gone.md" in ended.stderr
    assert "#lost" in ended.stderr
