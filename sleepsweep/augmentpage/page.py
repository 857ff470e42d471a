"""The page: one HTML file that needs nothing but a browser."""

from pathlib import Path
from typing import Any

from sleepsweep import webpage
from sleepsweep.augmentpage.content import Page
from sleepsweep.augmentpage.packing import packed, spectrum, thinned
from sleepsweep.augmentpage.views import Trace, original


def write(page: Page, out: Path) -> None:
    """Write the page to the file `out`, whole or not at all. Raises `UserError` if it cannot."""
    webpage.write(html(page), out)


def html(page: Page) -> str:
    """The whole page as text."""
    return webpage.render(Path(__file__).parent / "templates", page=page, data=_traces(page))


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
