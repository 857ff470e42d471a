"""The page of a night: what it says, that it needs nothing else, and how it opens in a browser."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sleepsweep.predict import NightReport
from sleepsweep.predict.page import html, write_page
from sleepsweep_analysis.report.browser import Tab

EVIL = "<img src=x onerror=document.title='owned'>"


def data_of(page: str) -> dict[str, object]:
    found = re.search(r'<script id="content" type="application/json">(.*?)</script>', page)
    assert found is not None
    content: dict[str, object] = json.loads(found[1])
    return content


def test_it_draws_what_was_predicted(report: NightReport) -> None:
    data = data_of(html(report))
    assert data["hypnograms"] == {
        "predicted": report.prediction.stages.tolist(),
        "reference": [None if s < 0 else s for s in report.agreement.reference.tolist()],  # type: ignore[union-attr]
    }
    assert np.allclose(
        np.array(data["probabilities"]).T, report.prediction.probabilities, atol=6e-4
    )
    assert data["starts"] == pytest.approx(22 + 45.5 / 60)


def test_it_says_what_it_is_and_is_not(report: NightReport) -> None:
    page = html(report)
    for text in (*report.notes(), "Not a medical device", "Cohen’s κ", "No interval"):
        assert text.replace("'", "&#39;") in page


def test_without_a_reference_there_is_no_agreement(report: NightReport) -> None:
    page = html(replace(report, agreement=None))
    assert "Agreement" not in page
    assert "reference" not in data_of(page)["hypnograms"]  # type: ignore[operator]


def test_an_epoch_without_a_stage_is_a_gap(report: NightReport) -> None:
    shares = report.prediction.probabilities.copy()
    shares[3] = np.nan
    page = html(replace(report, prediction=replace(report.prediction, probabilities=shares)))
    data = data_of(page)
    assert data["hypnograms"]["predicted"][3] is None  # type: ignore[index]
    assert [column[3] for column in data["probabilities"]] == [None] * 5  # type: ignore[attr-defined]


def test_the_page_needs_nothing_but_a_browser(report: NightReport) -> None:
    assert re.findall(r"""(?:src|href)=["'](?!data:)""", html(report).partition("<script")[0]) == []


def test_hostile_names_are_escaped(report: NightReport) -> None:
    night = replace(report.prediction.night, path=Path(EVIL), derivations=(EVIL,))
    hostile = replace(report, model=EVIL, prediction=replace(report.prediction, night=night))
    assert EVIL not in html(hostile)


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_opens_clean_and_fits(
    tab: Tab, report: NightReport, tmp_path: Path, width: int, dark: bool
) -> None:
    night = replace(report.prediction.night, path=Path(EVIL))
    hostile = replace(report, prediction=replace(report.prediction, night=night))
    write_page(hostile, tmp_path / "page.html")
    ready = "document.querySelectorAll('#night .xtick').length > 1"
    tab.show(tmp_path / "page.html", width=width, dark=dark, ready=ready)
    # Two hypnograms of a line and five stages each, and five shares.
    assert tab.run("document.querySelectorAll('#night .trace.scatter').length") == 17
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert tab.sticks_out() == []
    assert tab.trouble() == []
