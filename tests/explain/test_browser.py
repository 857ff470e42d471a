"""The page in a real browser: no errors, no requests, maps drawn, nothing wider than it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sleepsweep.explain.answers import ask
from sleepsweep.explain.effects import effects, whole
from sleepsweep.explain.occlusions import bands_of, windows_of
from sleepsweep.explain.page import Explained, write_page
from sleepsweep_analysis.report.browser import Tab

pytestmark = pytest.mark.browser

CELLS = "[...document.querySelectorAll('table[id] tbody td')].map(c => c.textContent)"
READY = "document.querySelectorAll('.hm').length > 1"
EVIL = "<img src=x onerror=document.title='owned'>"


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


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_opens_clean_and_fits(tab: Tab, page: Path, width: int, dark: bool) -> None:
    tab.show(page, width=width, dark=dark, ready=READY)
    assert len(tab.run(CELLS)) == (7 + 15) * 6
    assert tab.sticks_out() == []
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert tab.run("document.title") == f"What {EVIL} uses"
    assert tab.trouble() == []


def test_another_measure_is_shown_in_maps_and_tables(tab: Tab, page: Path) -> None:
    tab.show(page, width=1280, ready=READY)
    before = tab.run(CELLS)
    for measure in ("f1", "log_odds"):
        tab.run(f"document.querySelector('input[value={measure}]').click()")
        after = tab.run(CELLS)
        assert len(after) == len(before)
        assert np.mean([one != other for one, other in zip(before, after, strict=True)]) > 0.5
        before = after
    assert tab.trouble() == []
