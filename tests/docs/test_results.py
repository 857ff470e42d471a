"""What docs/results publishes is of its own tables, and its commands make the same in small."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import published_claims, published_ranking
from docs.publish import TABLES
from sleepsweep_analysis import Analysis, analyse, load

RESULTS = Path(__file__).parents[2] / "docs" / "results"
REPORTS = sorted(path.parent for path in RESULTS.glob("*/trials.parquet"))
DATA = os.environ.get("SLEEPSWEEP_DATA")
needs_data = pytest.mark.skipif(
    DATA is None, reason="SLEEPSWEEP_DATA does not name the published table's folder"
)


def test_two_studies_are_published() -> None:
    assert [path.name for path in REPORTS] == ["simulated", "ucddb"]


@pytest.fixture(scope="module", params=REPORTS, ids=lambda path: path.name)
def report(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture(scope="module")
def analysis(report: Path) -> Analysis:
    return analyse(load(report))


@pytest.mark.parametrize("name", ["categories", "effects", "size_curve", "confirmation"])
def test_a_published_table_is_what_its_trials_say(
    report: Path, analysis: Analysis, name: str
) -> None:
    found = getattr(analysis, name)
    published = pd.read_csv(report / "tables" / f"{name}.csv", dtype={"settings": str})
    published = published.fillna({"settings": ""})
    found = found[list(published.columns)]
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True), published, check_dtype=False, rtol=1e-4, atol=1e-4
    )


def test_a_page_has_its_reports_tables_and_links(report: Path) -> None:
    page = report.with_suffix(".md").read_text()
    for name in TABLES.values():
        assert (report / "tables" / f"{name}.md").read_text().partition("\n")[2].strip() in page
    for linked in re.findall(r"\]\((\w[^)]*)\)", page):
        assert (RESULTS / linked).is_file()


def test_nothing_published_names_the_machine_it_was_made_on(report: Path) -> None:
    for path in (report / "index.html", report / "results.json", report.with_suffix(".md")):
        assert not re.search(r"/(home|root|work|opt|tmp|Users)/", path.read_text()), path


@needs_data
def test_a_page_says_how_far_it_agrees_with_the_published_study(
    report: Path, analysis: Analysis
) -> None:
    page = report.with_suffix(".md").read_text()
    singles = published_ranking.singles(Path(str(DATA)) / "published.csv")
    assert published_ranking.table(analysis, singles) in page
    assert published_claims.table(analysis) in page


@pytest.mark.slow
@pytest.mark.timeout(1500)
@needs_data
def test_the_commands_make_the_same_files_and_sections_in_small(tmp_path: Path) -> None:
    sweep, out = tmp_path / "simulated", tmp_path / "out"
    space = RESULTS.parents[1] / "search_spaces" / "aug_ablation.yaml"
    for command in (
        # As many trials as it takes to tell the augmentations apart: else no ranking is claimed.
        ["sleepsweep", "launch", space, "--preset", "smoke", "--trials", "30",
         "--set", "split.blocks=2", "--out", sweep],
        ["sleepsweep", "confirm", sweep, "--top", "1", "--blocks", "2"],
        ["docs.publish", sweep, "--title", "Simulated nights", "--out", out,
         "--published", Path(str(DATA)) / "published.csv"],
    ):  # fmt: skip
        ended = subprocess.run(
            [sys.executable, "-m", *map(str, command)], capture_output=True, text=True,
            cwd=RESULTS.parents[1],
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
    for parts in (_sections, _headings):
        assert parts(out / "simulated") == parts(RESULTS / "simulated")
    # It may have more: a table of the conclusions that do not hold, where there are any.
    assert _files(RESULTS / "simulated") <= _files(out / "simulated")


def _files(report: Path) -> set[str]:
    """All files; of figures that there are several of, one a policy or augmentation, the kind."""
    names = (path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file())
    return {re.sub(r"-\d+\.", ".", name) for name in names}


def _sections(report: Path) -> list[str]:
    return re.findall(r'<section[^>]* id="([\w-]+)"', (report / "index.html").read_text())


def _headings(report: Path) -> list[str]:
    return re.findall(r"^#+ .+", report.with_suffix(".md").read_text(), re.MULTILINE)
