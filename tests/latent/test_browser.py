"""The page in a real browser: no errors, no requests, every plane drawn, nothing wider than it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sleepsweep.latent import Embedded, write_page
from sleepsweep.latent.planes import Plane
from sleepsweep_analysis.report.browser import Tab, find_browser, open_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed"),
]

TROUBLE = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
POINTS = "[...document.querySelectorAll('.plot')].map(p => p.querySelectorAll('.point').length)"
FILLS = """[...new Set([...document.querySelectorAll('.plot .point')].map(
  p => getComputedStyle(p).fill))].length"""
WIDER = """[...document.querySelectorAll('main *')].filter(
  e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, svg, .plot')
).map(e => e.tagName + '.' + e.className)"""


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with open_page(find_browser() or "") as opened:
        yield opened


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


def show(tab: Tab, page: Path, width: int, *, dark: bool = False) -> None:
    tab.send("Emulation.setDeviceMetricsOverride", width=width, height=900,
             deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    tab.send("Emulation.setEmulatedMedia", features=[scheme])
    tab.events.clear()
    tab.send("Page.navigate", url=page.resolve().as_uri())
    tab.wait_for(
        "document.readyState === 'complete' && document.querySelector('#key button') !== null"
    )
    tab.wait_for(f"{POINTS}.every(count => count > 0)")


def trouble(tab: Tab) -> list[object]:
    return [event for event in tab.events if event["method"] in TROUBLE]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_opens_clean_and_fits(tab: Tab, page: Path, width: int, dark: bool) -> None:
    show(tab, page, width, dark=dark)
    sent = [e["params"]["request"]["url"] for e in tab.events
            if e["method"] == "Network.requestWillBeSent"]  # fmt: skip
    assert [url for url in sent if not url.startswith(("file://", "data:", "blob:"))] == []
    assert tab.run(POINTS) == [150, 150]
    assert tab.run(FILLS) == 5
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.run(WIDER) == []
    assert trouble(tab) == []


def test_colours_change_to_subjects_and_to_a_few_of_them(tab: Tab, page: Path) -> None:
    show(tab, page, 1440)
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
    assert trouble(tab) == []


def test_hostile_names_run_nothing(
    tab: Tab, embedded: Embedded, planes: dict[str, Plane], table: pd.DataFrame, tmp_path: Path
) -> None:
    evil = "<img src=x onerror=document.title='owned'>"
    hostile = Embedded(embedded.features, embedded.stages, np.full(len(embedded), evil[:20]))
    renamed = table.assign(measure=evil, space=table["space"].replace("pca", evil))
    frame = renamed.drop_duplicates(["space", "measure"])
    write_page(hostile, {evil: planes["pca"]}, frame, tmp_path / "evil.html", evil)
    show(tab, tmp_path / "evil.html", 360)
    tab.run("document.querySelector('input[value=subject]').click()")
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert tab.run("document.title") == evil
    assert trouble(tab) == []
