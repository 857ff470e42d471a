"""The page of augmented epochs."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch

from sleepsweep.augment import FTSurrogate, Signal, SignFlip, TailoredMixup, augmentations
from sleepsweep.augmentpage import Page, html, page_of, write
from sleepsweep.augmentpage.examples import Example, examples_of
from sleepsweep.augmentpage.views import original, shown
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.metrics import STAGES


@pytest.fixture(scope="module")
def page(store: Store) -> Page:
    return page_of(store)


@pytest.fixture(scope="module")
def text(page: Page) -> str:
    return html(page)


def payload(text: str) -> dict:
    found = re.search(r'<script id="content" type="application/json">(.*?)</script>', text, re.S)
    assert found is not None
    return json.loads(found.group(1))


def test_an_example_of_every_stage_is_of_that_stage(store: Store) -> None:
    examples = examples_of(store)
    assert tuple(example.stage for example in examples) == STAGES
    everything = store.gather(store.rows(store.subjects))
    stages = store.stages(store.rows(store.subjects))
    for number, example in enumerate(examples):
        row = np.flatnonzero((everything == example.epoch.numpy()).all((1, 2)))
        assert stages[row[0]] == number
        assert example.partner.shape == example.epoch.shape
    same, other = examples_of(store), examples_of(store, seed=1)
    assert all(torch.equal(a.epoch, b.epoch) for a, b in zip(examples, same, strict=True))
    assert not all(torch.equal(a.epoch, b.epoch) for a, b in zip(examples, other, strict=True))


def test_views_are_of_rising_severity_in_microvolts() -> None:
    epoch = torch.randn(1, 1, 300, generator=torch.Generator().manual_seed(0))
    example, signal = Example("N2", epoch, epoch.flip(-1)), Signal(uv_per_unit=20.0)
    before = original(example, signal)
    np.testing.assert_allclose(before, 20 * epoch[0, 0].numpy(), rtol=1e-6)
    for kind in (FTSurrogate, TailoredMixup):
        views = shown(kind, [example], signal).views["N2"]
        distances = [float(np.abs(view - before).mean()) for view in views]
        assert len(distances) == 4
        assert distances == sorted(distances)
        assert distances[0] > 0
    flipped = shown(SignFlip, [example], signal)
    np.testing.assert_allclose(flipped.views["N2"][0], -before)
    assert flipped.settings == ("applied",)


def test_the_page_holds_every_augmentation_or_says_why_not(page: Page, text: str) -> None:
    traces = payload(text)
    drawn = set(traces["augmented"])
    assert drawn | set(page.left_out) | {"Placebo"} == set(augmentations())
    assert list(page.left_out) == ["ChannelsDropout"]  # this store has one channel
    assert "ChannelsDropout: ChannelsDropout needs at least 2 channels" in text
    assert set(traces["original"]) == set(STAGES)
    shift = traces["augmented"]["RandomDCShift"]
    assert shift["settings"][1] == "severity 0.5: max_shift_uv 10"
    assert {len(views) for views in shift["views"].values()} == {4}


def test_the_traces_on_the_page_are_the_views(page: Page, text: str) -> None:
    traces = payload(text)
    flip = traces["augmented"]["SignFlip"]["views"]["N3"][0]["trace"]
    values = np.frombuffer(base64.b64decode(flip["data"]), "<i2") * flip["step"]
    example = page.examples[STAGES.index("N3")]
    np.testing.assert_allclose(values, -original(example, page.signal), atol=flip["step"])


def test_the_page_needs_nothing_but_a_browser(text: str) -> None:
    assert len(text) < 15_000_000
    assert "default-src 'none'" in text
    opened: list[tuple[str, str | None]] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            opened.extend((tag, value) for key, value in attrs if key in ("src", "href"))

    Links().feed(text)
    assert opened == []


def test_what_comes_from_the_data_is_escaped(store: Store) -> None:
    page = page_of(store, ["SignFlip"])
    bad = "</script><script>alert(1)</script>"
    examples = [Example(bad, each.epoch, each.partner) for each in page.examples[:1]]
    views = [shown(SignFlip, examples, page.signal)]
    text = html(Page(bad, page.signal, examples, views, {bad: bad}))
    assert "<script>alert" not in text
    assert bad in payload(text)["original"]


def test_a_named_augmentation_that_refuses_is_an_error(store: Store) -> None:
    assert [one.kind for one in page_of(store, ["SignFlip", "SignFlip"]).shown] == [SignFlip]
    with pytest.raises(UserError, match="ChannelsDropout needs at least 2 channels"):
        page_of(store, ["SignFlip", "ChannelsDropout"])


def test_the_file_is_whole_or_not_there(store: Store, tmp_path: Path) -> None:
    page = page_of(store, ["SignFlip"])
    write(page, tmp_path / "new" / "page.html")
    assert (tmp_path / "new" / "page.html").read_text().endswith("</html>")
    (tmp_path / "file").touch()
    for refused in (tmp_path / "file" / "page.html", tmp_path / "new"):
        with pytest.raises(UserError, match="cannot be written"):
            write(page, refused)
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["file", "new", "page.html"]
