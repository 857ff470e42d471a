"""The page of an experiment: whatever is done so far, and nothing in a name is code."""

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.page import COURSES, SCORED, html, write_page
from sleepsweep.experiment.spec import STAGES
from sleepsweep_analysis.report.browser import Tab

EVIL = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"


class Elements(HTMLParser):
    """The tags of a page, and the texts of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: list[str] = []
        self.words = ""
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self._open = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            self.scripts[-1] += data
        elif self._open != "style":
            self.words += data


@pytest.fixture
def copied(whole: tuple[ExperimentFolder, Any], tmp_path: Path) -> ExperimentFolder:
    """The folder of an experiment that is done, to change."""
    return ExperimentFolder(Path(shutil.copytree(whole[0].path, tmp_path / "tiny")))


def changed(folder: ExperimentFolder, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = folder.read_manifest()
    change(manifest)
    folder.manifest_path.write_text(json.dumps(manifest))


def content(page: Elements) -> Any:
    """Return the data of a page, read as strictly as a browser does."""
    return json.loads(page.scripts[0], parse_constant=pytest.fail)


def test_of_a_whole_experiment_everything_is_on_it(whole: tuple[ExperimentFolder, Any]) -> None:
    folder = whole[0]
    page = Elements(html(folder))
    for name in SCORED.values():
        assert page.words.count(name) == 1
    for text in ("tiny", "TimeWarping", "SignFlip", "4 steps", "16 dimensions", "Cohen’s κ",
                 "train 3, validation 1, test 1", "F1 of N1", "were opened at"):  # fmt: skip
        assert text in page.words, text
    assert page.tags.count("img") == len(SCORED) + 1
    overall = pd.read_csv(folder.path / "test" / "probe" / "overall.csv", index_col=0)
    assert f"{100 * overall.loc['accuracy', 'value']:.1f}" in page.words
    assert "nan" not in page.words
    courses = content(page)["courses"]
    assert [course["title"] for course in courses] == [title for title, _ in COURSES.values()]
    assert courses[0]["steps"] == [2, 4]
    # The question's own angle brackets are text.
    assert "Does <b>it</b> run?" in page.words
    assert "b" not in page.tags


def test_before_any_stage_is_done_there_is_a_page(copied: ExperimentFolder) -> None:
    changed(copied, lambda manifest: manifest.update(done={}, test_opened=[]))
    for name in COURSES:
        (copied.path / f"{name}.csv").unlink()
    page = Elements(html(copied))
    assert "TimeWarping" in page.words
    assert not {"img", "table", "figure"} & set(page.tags)
    for heading in ("Sleep stages", "Latent space", "Course of training", "What was run"):
        assert heading not in page.words
    assert content(page) == {"courses": []}


def test_with_a_probe_alone_there_are_its_scores_alone(copied: ExperimentFolder) -> None:
    kept = {"pretrain", "probe"}

    def leave_out(manifest: dict[str, Any]) -> None:
        manifest["done"] = {key: manifest["done"][key] for key in kept}
        manifest["test_opened"] = []

    changed(copied, leave_out)
    (copied.path / "finetuning.csv").unlink()
    page = Elements(html(copied))
    assert "Probe, validation" in page.words
    assert "Fine-tuned" not in page.words
    assert "Probe, test" not in page.words
    assert "were opened" not in page.words
    assert page.tags.count("img") == 1
    assert [course["title"] for course in content(page)["courses"]] == ["Pretraining"]


def test_what_was_run_stands_in_the_order_of_the_stages(copied: ExperimentFolder) -> None:
    def reverse(manifest: dict[str, Any]) -> None:
        manifest["done"] = dict(reversed(manifest["done"].items()))

    changed(copied, reverse)
    ended = re.findall(r"(\w+), ended \d{4}-", Elements(html(copied)).words)
    assert ended == list(STAGES)


@pytest.mark.parametrize("place", ["question", "name", "policy", "root", "subject", "command"])
def test_a_hostile_name_is_inert(copied: ExperimentFolder, place: str) -> None:
    def soil(manifest: dict[str, Any]) -> None:
        spec = manifest["spec"]
        if place in ("question", "name"):
            spec[place] = EVIL
        elif place == "policy":
            spec["policy"] = [{"SignFlip": {"p": 1.0, EVIL: 1}}]
        elif place == "root":
            spec["data"].update(root=EVIL, derivations=[EVIL])
        elif place == "subject":
            manifest["subjects"] = {EVIL: [EVIL]}
        else:
            manifest["done"]["probe"]["command"] = EVIL

    before = Elements(html(copied))
    changed(copied, soil)
    after = Elements(html(copied))
    assert after.tags == before.tags
    assert after.scripts == before.scripts
    assert EVIL in after.words


@pytest.mark.parametrize("value", ["", "nan", "inf", "-inf"])
def test_a_loss_that_is_no_number_is_a_gap(copied: ExperimentFolder, value: str) -> None:
    path = copied.path / "pretraining.csv"
    table = pd.read_csv(path, dtype=str)
    table.loc[0, "loss"] = value
    table.to_csv(path, index=False)
    (course, _) = content(Elements(html(copied)))["courses"]
    first, second = course["lines"]["training"]
    assert first is None
    assert second == pytest.approx(float(table.loc[1, "loss"]))


def test_a_stage_that_nobody_has_shows_a_dash(copied: ExperimentFolder) -> None:
    path = copied.path / "probe" / "by_stage.csv"
    table = pd.read_csv(path)
    table.loc[1, ["f1", "low", "high"]] = None
    table.to_csv(path, index=False)
    page = Elements(html(copied))
    assert "–" in page.words
    assert "nan" not in page.words


DRAWN = "[...document.querySelectorAll('.plot')].map(p => p.querySelectorAll('.point').length)"


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_opens_clean_and_fits(
    tab: Tab, copied: ExperimentFolder, width: int, dark: bool
) -> None:
    changed(copied, lambda manifest: manifest["spec"].update(question=EVIL))
    write_page(copied)
    ready = f"{DRAWN}.length === 2 && {DRAWN}.every(count => count > 0)"
    tab.show(copied.path / "index.html", width=width, dark=dark, ready=ready)
    # Pretraining has two checks of two values, fine-tuning one.
    assert tab.run(DRAWN) == [4, 2]
    assert tab.run("document.title") == "tiny"
    assert tab.run("[...document.images].every(image => image.naturalWidth > 0)")
    assert tab.sticks_out() == []
    assert tab.trouble() == []
