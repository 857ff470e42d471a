"""The script that takes the documentation's pictures takes what it is told, and small."""

from pathlib import Path

import pytest
from PIL import Image

from docs import screenshots
from docs.screenshots import save, settle
from sleepsweep_analysis.report.browser import find_browser, open_page

BOX = "<div id='box' style='width:400px;height:300px;background:blue'></div>"
PAGE = f"data:text/html,<body style='margin:0'>{BOX}"
GROWS = """<script>
let n = 0;
const timer = setInterval(() => {
  document.body.append('x');
  if (++n > 4) clearInterval(timer);
}, 300);
</script>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed"),
]


def test_an_element_is_cut_out_and_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenshots, "IMAGES", tmp_path)
    with open_page(find_browser() or "") as tab:
        tab.send("Page.navigate", url=PAGE)
        tab.wait_for("document.querySelector('#box') !== null")
        save(tab, "box", of="#box", height=200)
        tab.send("Page.navigate", url=PAGE + GROWS)
        tab.wait_for("document.querySelector('#box') !== null")
        settle(tab)
        assert tab.run("document.body.innerText.trim()") == "xxxxx"
    with Image.open(tmp_path / "box.png") as picture:
        assert picture.size == (600, 300)
        assert picture.convert("RGB").getpixel((300, 150)) == (0, 0, 255)


def test_a_picture_that_is_too_large_ends_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screenshots, "IMAGES", tmp_path)
    monkeypatch.setattr(screenshots, "LARGEST", 10)
    with open_page(find_browser() or "") as tab:
        tab.send("Page.navigate", url=PAGE)
        tab.wait_for("document.querySelector('#box') !== null")
        with pytest.raises(SystemExit, match="more than 10"):
            save(tab, "box", of="#box", height=200)
