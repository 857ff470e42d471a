"""The frame that every page stands in."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from sleepsweep.errors import UserError
from sleepsweep.webpage import render, write

BODY = """{% extends "frame.html.j2" %}
{% block title %}{{ name }}{% endblock %}
{% block body %}<p>{{ name }}</p>{% endblock %}
"""


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    folder.mkdir()
    for name, text in (("page.html.j2", BODY), ("page.css", "p > a {}"), ("page.js", "1 < 2;")):
        (folder / name).write_text(text)
    return folder


def test_content_is_escaped_and_styles_and_scripts_are_not(templates: Path) -> None:
    text = render(templates, name="<b>&", data={"name": "</script>"})
    assert "<title>&lt;b&gt;&amp;</title>" in text
    assert "<p>&lt;b&gt;&amp;</p>" in text
    assert "p > a {}" in text
    assert "<script>1 < 2;</script>" in text
    assert '{"name": "\\u003c/script\\u003e"}' in text
    assert "max-width: 1240px" in text
    assert "default-src 'none'" in text


def test_a_name_that_is_missing_is_an_error(templates: Path) -> None:
    with pytest.raises(UndefinedError, match="name"):
        render(templates, data={})


def test_a_page_takes_the_place_of_the_old_one_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    write("old", path)
    write("µV", path)
    assert path.read_text(encoding="utf-8") == "µV"
    with pytest.raises(UserError, match="cannot be written"):
        write("text", path / "page.html")
    assert [entry.name for entry in path.parent.iterdir()] == ["page.html"]
