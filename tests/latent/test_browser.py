"""The page in a real browser: no errors, no requests, every plane drawn, nothing wider than it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sleepsweep.latent import Embedded, write_page
from sleepsweep.latent.planes import Plane
from sleepsweep_analysis.report.browser import Tab

pytestmark = pytest.mark.browser

POINTS = "[...document.querySelectorAll('.plot')].map(p => p.querySelectorAll('.point').length)"
READY = f"document.querySelector('#key button') !== null && {POINTS}.every(count => count > 0)"
FILLS = """[...new Set([...document.querySelectorAll('.plot .point')].map(
  p => getComputedStyle(p).fill))].length"""


@pytest.fixture(scope="module")
def page(
    embedded: Embedded,
    planes: dict[str, Plane],
    table: pd.DataFrame,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    path = tmp_path_factory.mktemp("latent") / "page.html"
    write_page(embedded, planes, table, path, "A latent space")
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_opens_clean_and_fits(tab: Tab, page: Path, width: int, dark: bool) -> None:
    tab.show(page, width=width, dark=dark, ready=READY)
    assert tab.run(POINTS) == [150, 150]
    assert tab.run(FILLS) == 5
    assert tab.sticks_out() == []
    assert tab.trouble() == []


def test_colours_change_to_subjects_and_to_a_few_of_them(tab: Tab, page: Path) -> None:
    tab.show(page, width=1440, ready=READY)
    tab.run("document.querySelector('input[value=subject]').click()")
    tab.wait_for(f"{FILLS} === 4")
    names = tab.run("[...document.querySelectorAll('#key button')].map(b => b.textContent)")
    assert names == ["Ann30", "Bo40", "Cy40", "Di40"]
    tab.run("document.querySelector('#key button').click()")
    tab.wait_for(f"{FILLS} === 2")
    pressed = "[...document.querySelectorAll('#key [aria-pressed=true]')].map(b => b.textContent)"
    assert tab.run(pressed) == ["Ann30"]
    tab.run("document.querySelector('#key button').click()")
    tab.wait_for(f"{FILLS} === 4")
    assert tab.trouble() == []


def test_hostile_names_run_nothing(
    tab: Tab, embedded: Embedded, planes: dict[str, Plane], table: pd.DataFrame, tmp_path: Path
) -> None:
    evil = "<img src=x onerror=document.title='owned'>"
    hostile = Embedded(embedded.features, embedded.stages, np.full(len(embedded), evil[:20]))
    renamed = table.assign(measure=evil, space=table["space"].replace("pca", evil))
    frame = renamed.drop_duplicates(["space", "measure"])
    write_page(hostile, {evil: planes["pca"]}, frame, tmp_path / "evil.html", evil)
    tab.show(tmp_path / "evil.html", width=360, ready=READY)
    tab.run("document.querySelector('input[value=subject]').click()")
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert tab.run("document.title") == evil
    assert tab.trouble() == []
