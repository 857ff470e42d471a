"""The page in a real browser: no errors, no requests, maps drawn, nothing wider than it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sleepsweep.explain.answers import ask
from sleepsweep.explain.effects import effects, whole
from sleepsweep.explain.occlusions import bands_of, windows_of
from sleepsweep.explain.page import Explained, write_page
from sleepsweep_analysis.report.browser import Tab, find_browser, open_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed"),
]

TROUBLE = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
CELLS = "[...document.querySelectorAll('table[id] tbody td')].map(c => c.textContent)"
WIDER = """[...document.querySelectorAll('main *')].filter(
  e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, svg, .plot')
).map(e => e.tagName + '.' + e.className)"""
EVIL = "<img src=x onerror=document.title='owned'>"


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with open_page(find_browser() or "") as opened:
        yield opened


@pytest.fixture(scope="module")
def page(planted: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = planted("sigma", steps=40)
    occlusions = {"bands": bands_of(100.0), "windows": windows_of(6.0, 0.4, 100.0, "surrogate")}
    answers = ask(made.network, made.epochs, [*occlusions["bands"], *occlusions["windows"]])
    found = effects(answers)
    parts = [found[found["without"].isin([o.name for o in kind])] for kind in occlusions.values()]
    path = tmp_path_factory.mktemp("explained") / "page.html"
    write_page(Explained(EVIL, whole(answers), *parts, occlusions, "surrogate"), path)
    return path


def show(tab: Tab, page: Path, width: int, *, dark: bool = False) -> None:
    tab.send("Emulation.setDeviceMetricsOverride", width=width, height=900,
             deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    tab.send("Emulation.setEmulatedMedia", features=[scheme])
    tab.events.clear()
    tab.send("Page.navigate", url=page.resolve().as_uri())
    tab.wait_for(
        "document.readyState === 'complete' && document.querySelectorAll('.hm').length > 1"
    )


def trouble(tab: Tab) -> list[object]:
    return [event for event in tab.events if event["method"] in TROUBLE]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_opens_clean_and_fits(tab: Tab, page: Path, width: int, dark: bool) -> None:
    show(tab, page, width, dark=dark)
    sent = [e["params"]["request"]["url"] for e in tab.events
            if e["method"] == "Network.requestWillBeSent"]  # fmt: skip
    assert [url for url in sent if not url.startswith(("file://", "data:", "blob:"))] == []
    assert len(tab.run(CELLS)) == (7 + 15) * 6
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.run(WIDER) == []
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert tab.run("document.title") == f"What {EVIL} uses"
    assert trouble(tab) == []


def test_another_measure_is_shown_in_maps_and_tables(tab: Tab, page: Path) -> None:
    show(tab, page, 1280)
    before = tab.run(CELLS)
    for measure in ("f1", "log_odds"):
        tab.run(f"document.querySelector('input[value={measure}]').click()")
        after = tab.run(CELLS)
        assert len(after) == len(before)
        assert np.mean([one != other for one, other in zip(before, after, strict=True)]) > 0.5
        before = after
    assert trouble(tab) == []
