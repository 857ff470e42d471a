"""The page: one HTML file that needs nothing but a browser.

Plotly is embedded once; a content-security policy in the page forbids every request. Whatever
comes from the data is escaped by jinja2, in the page and in the JSON of the traces.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from sleepsweep.augmentpage.content import Page
from sleepsweep.augmentpage.packing import packed, spectrum, thinned
from sleepsweep.augmentpage.views import Trace, original
from sleepsweep.data.atomic import writing


def write(page: Page, out: Path) -> None:
    """Write the page to the file `out`, whole or not at all. Raises `UserError` if it cannot."""
    text = html(page)
    partial = out.with_name(f".{out.name}.partial")
    with writing(out):
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(text, encoding="utf-8")
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)


def html(page: Page) -> str:
    """The whole page as text."""
    environment = Environment(
        loader=PackageLoader("sleepsweep.augmentpage"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        page=page,
        traces=_traces(page),
        plotly=Markup(get_plotlyjs()),
        css=Markup(_template("page.css")),
        js=Markup(_template("page.js")),
    )


def _traces(page: Page) -> dict[str, Any]:
    sfreq = page.signal.sfreq
    duration_s = page.examples[0].epoch.shape[-1] / sfreq

    def drawn(trace: Trace) -> dict[str, Any]:
        return {"trace": packed(thinned(trace)), "spectrum": packed(spectrum(trace, sfreq))}

    return {
        "duration_s": duration_s,
        "highest_hz": sfreq / 2,
        "original": {each.stage: drawn(original(each, page.signal)) for each in page.examples},
        "augmented": {
            each.kind.__name__: {
                "settings": each.settings,
                "views": {
                    stage: [drawn(trace) for trace in traces]
                    for stage, traces in each.views.items()
                },
            }
            for each in page.shown
        },
    }


def _template(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
