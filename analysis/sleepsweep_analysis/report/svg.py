"""Every figure of a report as an SVG file, drawn by a headless browser from the page itself.

    python -m sleepsweep_analysis.report.svg runs/aug_ablation/report

The page has the same behind its buttons "Save as SVG"; this is for many of them at once.
"""

import json
import sys
from pathlib import Path
from urllib.parse import unquote

from sleepsweep.results import TableError
from sleepsweep_analysis.report.browser import BROWSERS, find_browser, open_page

__all__ = ["write_svgs"]


def write_svgs(report: Path) -> list[Path]:
    """Write ``figures/NAME.svg`` for every figure of the folder `report`; return their paths.

    Raises `TableError` where the folder holds no report, or no browser is installed.
    """
    page, browser = report / "index.html", find_browser()
    if not page.is_file():
        raise TableError(f"{page}: no such file. `sleepsweep report` writes it.")
    if browser is None:
        raise TableError(f"svg: none of {', '.join(BROWSERS)} is installed; install one of them.")
    folder = report / "figures"
    folder.mkdir(exist_ok=True)
    written = []
    with open_page(browser) as tab:
        tab.show(page, width=1200)
        for place in tab.run("window.sleepsweepReport.ids"):
            url = tab.run(f"window.sleepsweepReport.svg({json.dumps(place)})")
            path = folder / f"{place.removeprefix('plot-')}.svg"
            path.write_text(unquote(url.split(",", 1)[1]), encoding="utf-8")
            written.append(path)
    return written


def main(arguments: list[str]) -> int:
    """Write the figures of the one report that is named."""
    if len(arguments) != 1:
        print("usage: python -m sleepsweep_analysis.report.svg FOLDER_OF_A_REPORT", file=sys.stderr)
        return 2
    try:
        written = write_svgs(Path(arguments[0]))
    except TableError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(written)} figures in {written[0].parent if written else arguments[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
