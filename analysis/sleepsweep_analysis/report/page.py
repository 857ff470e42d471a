"""The page: sections in, one HTML file out that needs nothing but a browser.

Plotly is embedded once; a content-security policy in the page forbids every request. Whatever
comes from the data is escaped: by jinja2 in the page, and as \\u003c in the JSON of the figures.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sleepsweep_analysis.figures.figure import Figure
from sleepsweep_analysis.figures.palette import DARK, LIGHT
from sleepsweep_analysis.report.jsontext import for_script, records
from sleepsweep_analysis.report.section import Section
from sleepsweep_analysis.words.numbers import shortened

__all__ = ["html"]

MOST_ROWS = 1500
"""Rows of a figure's numbers that travel inside the page; longer ones stand in the file only."""


def html(
    sections: Sequence[Section], *, brand: str, title: str, question: str, files: Sequence[str]
) -> str:
    """The whole page as text; `files` are the names of what is written beside it."""
    # Four megabytes of text: read when a page is made, not when the package is imported.
    from plotly.offline import get_plotlyjs

    drawn = [figure for section in sections for figure in section.figures]
    return _environment().get_template("page.html.j2").render(
        sections=sections,
        brand=brand,
        title=title,
        question=question,
        files=files,
        figures_json=for_script(_plots(drawn)),
        numbers_json=for_script(_numbers(drawn)),
        themes_json=for_script({"light": LIGHT, "dark": DARK}),
        plotly=Markup(get_plotlyjs()),
        css=Markup(_template("report.css")),
        js=Markup(_template("report.js")),
    )  # fmt: skip


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sleepsweep_analysis"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = shortened
    return environment


def _plots(figures: Sequence[Figure]) -> dict[str, Any]:
    return {
        place: {"data": panel.data, "layout": panel.layout, "narrow": panel.narrow,
                "narrowData": panel.narrow_data}
        for figure in figures for place, panel in figure.plots.items()
    }  # fmt: skip


def _numbers(figures: Sequence[Figure]) -> dict[str, Any]:
    """The numbers behind each figure by the name of their table: its data table and download."""
    return {
        figure.table: {
            "columns": [str(column) for column in figure.frame.columns],
            "rows": [list(row.values()) for row in records(figure.frame)],
        }
        for figure in figures if len(figure.frame) <= MOST_ROWS
    }  # fmt: skip


def _template(name: str) -> str:
    return (Path(__file__).parents[1] / "templates" / name).read_text(encoding="utf-8")
