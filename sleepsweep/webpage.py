"""A page that needs nothing but a browser: one HTML file in which everything is embedded.

Templates say ``{% extends "frame.html.j2" %}``: the frame forbids every request by a
content-security policy. Whatever comes from the data is escaped by jinja2, in the page and in JSON.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sleepsweep.replacing import replacing, writing

FRAME = Path(__file__).parent / "templates"


def render(templates: Path, **content: Any) -> str:
    """Return the page made of ``page.html.j2`` in the folder `templates`, as text.

    The template knows `content`, and as ``css``, ``js`` and ``plotly`` the texts of the folder's
    ``page.css`` and ``page.js`` and of plotly.
    """
    # Half a second, which only those who write a page should wait for.
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=FileSystemLoader([templates, FRAME]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        content,
        plotly=Markup(get_plotlyjs()),
        css=Markup((templates / "page.css").read_text(encoding="utf-8")),
        js=Markup((templates / "page.js").read_text(encoding="utf-8")),
    )


def write(text: str, path: Path) -> None:
    """Write a page to the file `path`, whole or not at all. Raises `UserError` if it cannot."""
    with writing(path), replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
