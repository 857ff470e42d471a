"""The page of a latent space, as text and as a file."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sleepsweep.errors import UserError
from sleepsweep.latent import Embedded, measure, write_page
from sleepsweep.latent import page as latentpage
from sleepsweep.latent.page import MOST_DRAWN, html
from sleepsweep.latent.planes import Plane
from sleepsweep.metrics import STAGES

EVIL = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def text(embedded: Embedded, planes: dict[str, Plane], table: pd.DataFrame) -> str:
    return html(embedded, planes, table, "A latent space")


def content(text: str) -> dict:
    found = re.search(r'<script id="content" type="application/json">(.*?)</script>', text, re.S)
    assert found is not None
    return json.loads(found.group(1))


def test_every_epoch_is_drawn_with_its_stage_and_subject(
    embedded: Embedded, planes: dict[str, Plane], text: str
) -> None:
    data = content(text)
    for drawn, plane in zip(data["planes"], planes.values(), strict=True):
        points = np.column_stack([drawn["x"], drawn["y"]])
        nearest = np.abs(points[:, None] - plane[None]).sum(axis=2).argmin(axis=1)
        assert sorted(nearest) == list(range(len(embedded)))
        assert not (nearest == np.arange(len(embedded))).all()  # no stage on top of the others
        for name, labels in (("stage", [STAGES[s] for s in embedded.stages]),
                             ("subject", embedded.subjects.tolist())):  # fmt: skip
            group = data["labels"][name]
            shown = [group["names"][code] for code in group["codes"]]
            assert shown == [labels[row] for row in nearest]
            assert group["counts"] == [labels.count(label) for label in group["names"]]
    assert data["labels"]["stage"]["names"] == list(STAGES)


def test_the_table_is_on_the_page(table: pd.DataFrame, text: str) -> None:
    cells = re.findall(r'<td class="number">(.*?)</td>', text)
    shown = [float(cell.replace("−", "-")) for cell in cells if cell]
    assert sorted(shown) == sorted(round(value, 3) for value in table["value"])
    assert "Davies–Bouldin" in text
    assert "Without a value" not in text


def test_the_page_needs_nothing_but_a_browser(text: str) -> None:
    assert len(text) < 8_000_000
    assert "default-src 'none'" in text
    opened: list[tuple[str, str | None]] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            opened.extend((tag, value) for key, value in attrs if key in ("src", "href"))

    Links().feed(text)
    assert opened == []


def test_what_comes_from_outside_is_escaped(embedded: Embedded, planes: dict[str, Plane]) -> None:
    hostile = Embedded(embedded.features, embedded.stages, np.full(len(embedded), EVIL))
    named = {EVIL: planes["pca"]}
    table = measure(hostile, named)
    table.loc[0, ["measure", "note", "value"]] = [EVIL, EVIL, float("nan")]
    text = html(hostile, named, table, EVIL)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    data = content(text)
    # Plotly reads HTML in an axis title and in what hovers; a button's text is text.
    assert "<" not in data["planes"][0]["axis"] + "".join(data["labels"]["subject"]["hovers"])
    assert data["labels"]["subject"]["names"] == [EVIL[:23] + "…"]


def test_what_has_no_value_is_a_dash_with_a_reason(embedded: Embedded) -> None:
    dull = Embedded(embedded.features, np.zeros(len(embedded)), embedded.subjects)
    text = html(dull, {}, measure(dull, {}), "One stage")
    assert text.count('title="there is one stage only">–</td>') == 6
    assert "Silhouette (Embedding), Davies–Bouldin (Embedding): there is one stage only." in text
    assert 'class="plot"' not in text


def test_of_many_epochs_a_sample_is_drawn_and_all_are_counted() -> None:
    count = MOST_DRAWN + 500
    generator = np.random.default_rng(0)
    features = generator.normal(size=(count, 2))
    many = Embedded(features, np.arange(count) % 5, np.repeat(["a"], count))
    table = measure(many.sample(60), {})
    text = html(many, {"pca": features}, table, "Many")
    assert "3,500 epochs of 1 subject; drawn: 3,000" in text
    data = content(text)
    assert len(data["planes"][0]["x"]) == len(data["labels"]["stage"]["codes"]) == MOST_DRAWN
    assert data["labels"]["subject"]["counts"] == [count]


def test_the_file_is_whole_or_not_there(
    embedded: Embedded, planes: dict[str, Plane], table: pd.DataFrame, tmp_path: Path
) -> None:
    write_page(embedded, planes, table, tmp_path / "new" / "page.html", "A latent space")
    assert (tmp_path / "new" / "page.html").read_text().endswith("</html>")
    (tmp_path / "file").touch()
    for refused in (tmp_path / "file" / "page.html", tmp_path / "new"):
        with pytest.raises(UserError, match="cannot be written"):
            write_page(embedded, planes, table, refused, "A latent space")
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["file", "new", "page.html"]


def test_spaces_have_names_that_people_read() -> None:
    assert [latentpage.label_of(space) for space in ("tsne", "umap", "mine")] == [
        "t-SNE", "UMAP", "mine",
    ]  # fmt: skip
