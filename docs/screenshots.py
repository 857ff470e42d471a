"""Takes the pictures of the documentation, in a real browser, from the folder of a finished sweep.

    python -m docs.screenshots runs/quickstart

Needs Chromium or Chrome. The pictures are of that sweep, its report and MLflow's pages, and of
the published report that README.md shows.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import typer
from PIL import Image

from sleepsweep.tracking import ui_address
from sleepsweep_analysis.report.browser import Tab, find_browser, open_page

IMAGES = Path(__file__).parent / "images"
PUBLISHED = Path(__file__).parent / "results" / "simulated" / "index.html"
WIDTH, SHARPNESS = 1280, 1.5
LARGEST = 300_000


def main(sweep: Path) -> None:
    """Write all pictures, each smaller than 300 kB."""
    browser = find_browser()
    if browser is None:
        raise SystemExit("Neither Chromium nor Chrome is installed.")
    with open_page(browser) as tab:
        tab.show(PUBLISHED, width=WIDTH)
        save(tab, "results", height=880)
        of_the_report(tab, sweep / "report" / "index.html")
        with pages_of_mlflow(sweep) as port:
            of_mlflow(tab, sweep, port)


def of_the_report(tab: Tab, page: Path) -> None:
    """The first screen of a report, and what it says of single augmentations and of size."""
    tab.show(page, width=WIDTH)
    save(tab, "report", height=880)
    for section in ("augmentations", "size"):
        save(tab, f"report-{section}", of=f"#{section}", height=900)


def of_mlflow(tab: Tab, sweep: Path, port: int) -> None:
    """The table of runs as `sleepsweep ui` opens it, and the charts that compare them."""
    be_high(tab, 720)
    address = ui_address(sweep, port)
    go_to(tab, address, "document.querySelectorAll('[role=row]').length > 8")
    # A panel that MLflow opens at a first visit, and remembers.
    tab.run("localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false')")
    for name, mode, height, there in (
        ("mlflow-runs", "TABLE", 720, "[role=row]:nth-of-type(8)"),
        ("mlflow-compare", "CHART", 1180, ".parcoords canvas"),  # the last that is drawn
    ):
        be_high(tab, height)
        is_there = f"!!document.querySelector('{there}')?.checkVisibility()"
        go_to(tab, f"{address}&compareRunsMode={mode}", is_there)
        tab.run("document.head.append(Object.assign(document.createElement('style'), "
                "{textContent: '.modebar-container { display: none }'}))")  # fmt: skip
        for label in ("Hide banner", "Toggle sidebar"):
            tab.run(f"document.querySelector('[aria-label=\"{label}\"]')?.click()")
        # Charts are drawn anew where they have become wider.
        settle(tab)
        tab.wait_for(is_there)
        settle(tab)
        save(tab, name, height=height, as_it_is=True)


def be_high(tab: Tab, height: int) -> None:
    """Give the window a height, which MLflow's pages fill."""
    tab.send("Emulation.setDeviceMetricsOverride", width=WIDTH, height=height,
             deviceScaleFactor=SHARPNESS, mobile=False)  # fmt: skip


def go_to(tab: Tab, address: str, there: str) -> None:
    """Load an address, whose part behind # alone would load nothing, until it is `there`."""
    tab.send("Page.navigate", url="about:blank")
    tab.send("Page.navigate", url=address)
    tab.wait_for(there)
    settle(tab)


@contextmanager
def pages_of_mlflow(sweep: Path) -> Iterator[int]:
    """MLflow's pages on a sweep, served by `sleepsweep ui` at the port that is handed out."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "sleepsweep", "ui", str(sweep), "--port", str(port)]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        for _ in range(240):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.5)
        yield port
    finally:
        # With all processes that MLflow has started.
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def settle(tab: Tab) -> None:
    """Wait until the page has not changed for a second: MLflow tells nobody when it is done."""
    before = ""
    while (now := tab.run("document.body.innerHTML.length + ''")) != before:
        before = now
        time.sleep(1.0)


def save(
    tab: Tab, name: str, *, height: int, of: str | None = None, as_it_is: bool = False
) -> None:
    """Save what the tab shows, or the element `of` a selector, as a small PNG.

    Taken `as_it_is`, a page is not resized for its picture, which would draw its charts anew.
    """
    box = tab.run(f"(({FIND})({json.dumps(of)}))")
    clip = {**box, "height": min(box["height"], height), "scale": 1 if as_it_is else SHARPNESS}
    taken = tab.send("Page.captureScreenshot", clip=clip, captureBeyondViewport=not as_it_is)
    picture = Image.open(BytesIO(b64decode(taken["data"]))).convert("RGB")
    path = IMAGES / f"{name}.png"
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{path}: {size:,} bytes, more than {LARGEST:,}; make it lower.")
    print(f"{path}: {picture.width} × {picture.height}, {size:,} bytes")


FIND = """(selector) => {
  if (selector === null) return {x: 0, y: 0, width: innerWidth, height: innerHeight};
  const box = document.querySelector(selector).getBoundingClientRect();
  return {x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height};
}"""

if __name__ == "__main__":
    typer.run(main)
