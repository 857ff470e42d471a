"""The page in a real browser: no errors, no requests, every figure drawn, nothing wider than it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sleepsweep.results import TableError
from sleepsweep_analysis.report import compare, write
from sleepsweep_analysis.report.svg import main, write_svgs

pytestmark = pytest.mark.browser

WIDTHS = (360, 1440)
NOT_DRAWN = "[...document.querySelectorAll('.plot')].filter(p => !p.querySelector('svg')).length"


@pytest.fixture
def page(filled, table, tmp_path) -> Path:
    return write(filled(table), tmp_path)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_opens_clean_and_fits(tab, page, width, dark):
    tab.show(page, width=width, dark=dark)
    assert tab.trouble() == []
    assert tab.run("document.querySelectorAll('.plot').length") > 30
    assert tab.run(NOT_DRAWN) == 0
    assert tab.sticks_out() == []


@pytest.mark.parametrize("width", WIDTHS)
def test_empty_refused_and_compared_reports_open_too(
    tab, filled, hollow, table, tmp_path, width
):  # fmt: skip
    pages = [
        write(hollow(table), tmp_path / "empty"),
        compare([filled(table, 1), filled(table, 2)], tmp_path / "compared"),
    ]
    for each in pages:
        tab.show(each, width=width)
        assert tab.trouble() == []
        assert tab.run(NOT_DRAWN) == 0
        assert tab.sticks_out() == []


def test_a_hostile_name_runs_nothing(tab, filled, table, tmp_path):
    evil = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    analysis = filled(table)
    for frame in (analysis.effects, analysis.crosschecks, analysis.stages, analysis.sensitivity):
        frame["augmentation"] = frame["augmentation"].replace("SignFlip", evil)
    tab.show(write(analysis, tmp_path), width=1440)
    tab.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert tab.run("document.title") == "simulated – sweep report"
    assert tab.run("document.querySelectorAll('main img, main script').length") == 0
    assert tab.trouble() == []


def test_the_contents_mark_the_section_that_is_read(tab, page):
    tab.show(page, width=1440)
    assert tab.run("document.querySelector('nav a[aria-current]').hash") == "#verdict"
    tab.run("document.documentElement.style.scrollBehavior = 'auto'")
    tab.run("document.getElementById('size').scrollIntoView()")
    tab.wait_for("document.querySelector('nav a[aria-current]').hash === '#size'")


def test_the_verdict_stands_on_the_first_screen(tab, page):
    tab.show(page, width=1440)
    bottom = "document.querySelector('#verdict .pairs').getBoundingClientRect().bottom"
    assert tab.run(bottom) < 900
    tab.show(page, width=360)
    assert tab.run("document.querySelector('#verdict dd').getBoundingClientRect().top") < 400


def test_the_keyboard_reaches_the_verdict_first(tab, page):
    tab.show(page, width=1440)
    tab.send("Input.dispatchKeyEvent", type="keyDown", key="Tab", windowsVirtualKeyCode=9)
    tab.send("Input.dispatchKeyEvent", type="keyUp", key="Tab", windowsVirtualKeyCode=9)
    assert tab.run("document.activeElement.className") == "skip"
    assert tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_numbers_stand_in_a_table_and_in_a_download(tab, page):
    tab.show(page, width=1440)
    details = "document.querySelector('#figure-augmentations details.numbers')"
    tab.run(f"{details}.open = true")
    tab.wait_for(f"{details}.querySelectorAll('tbody tr').length === 14")
    tab.run("""window.saved = [];
      URL.createObjectURL = (blob) => { blob.text().then((t) => saved.push(t)); return 'blob:x'; };
      HTMLAnchorElement.prototype.click = () => {};""")
    click = "dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
    tab.run(f"document.querySelector('#figure-augmentations a[data-table]').{click}")
    tab.wait_for("saved.length === 1")
    assert tab.run("saved[0]").splitlines()[0].startswith("augmentation,category,")
    tab.run("document.querySelector('#figure-confusions button[data-svg]').click()")
    tab.wait_for("saved.length === 4")
    assert all(text.startswith("<svg") for text in tab.run("saved.slice(1)"))


def test_print_is_light_on_a_dark_screen(tab, page):
    tab.show(page, width=1440, dark=True)
    colour = "getComputedStyle(document.querySelector('.xtick text')).fill"
    assert tab.run(colour) == "rgb(221, 227, 234)"
    tab.run("window.dispatchEvent(new Event('beforeprint'))")
    tab.wait_for(f"{colour} === 'rgb(31, 41, 51)'")
    tab.run("window.dispatchEvent(new Event('afterprint'))")
    tab.wait_for(f"{colour} === 'rgb(221, 227, 234)'")


def test_all_figures_as_svg(page, capsys):
    assert main([str(page.parent)]) == 0
    paths = sorted((page.parent / "figures").glob("*.svg"))
    assert len(paths) > 30
    assert f"{len(paths)} figures" in capsys.readouterr().out
    for path in paths:
        text = path.read_text()
        assert text.startswith("<svg")
        assert not re.search(r'(href|src)="http', text)


def test_svg_says_what_is_missing(tmp_path):
    with pytest.raises(TableError, match="no such file"):
        write_svgs(tmp_path)
    run = subprocess.run(
        [sys.executable, "-m", "sleepsweep_analysis.report.svg"], capture_output=True, text=True
    )
    assert run.returncode == 2
    assert "usage" in run.stderr
