"""A headless Chromium that a report is opened in: to save its figures, and to test the page.

The browser is driven through the DevTools protocol over a pair of pipes (JSON messages that end
with a zero byte: ``--remote-debugging-pipe``), so nothing listens on the network and no package is
needed.
"""

import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sleepsweep.results import TableError

__all__ = ["BROWSERS", "Tab", "find_browser", "open_page"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip
TIMEOUT_S = 60.0
TROUBLE = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
WIDER = """[...document.querySelectorAll('main *')].filter(
  e => e.getBoundingClientRect().right > innerWidth + 1
    && !e.closest('.scroll, svg, .plot, .js-plotly-plot')
).map(e => e.tagName + '.' + e.className)"""
Plain = dict[str, Any]


def find_browser() -> str | None:
    """The path of an installed Chromium or Chrome, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Tab:
    """One page in a browser: commands go out, and what it reported is kept in `events`."""

    def __init__(self, reading: int, writing: int) -> None:
        self.events: list[Plain] = []
        self._reading, self._writing = reading, writing
        self._waiting = b""
        self._count = 0
        self._session = ""
        self._width = 0

    def attach(self) -> None:
        """Open an empty tab and listen to its console, its exceptions and its requests."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        found = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> Plain:
        """Send one command and return its result; raises `TableError` where it fails."""
        self._count += 1
        message: Plain = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + TIMEOUT_S
        while (answer := self._next(until)).get("id") != self._count:
            self.events.append(answer)
        if "error" in answer:
            raise TableError(f"browser: {method} failed: {answer['error']['message']}.")
        result: Plain = answer["result"]
        return result

    def show(self, page: Path, *, width: int, dark: bool = False, ready: str = "") -> None:
        """Load the report `page` at `width` and wait until its figures are drawn.

        Of another page, until the JavaScript expression `ready` holds.
        """
        self._width, phone = width, width < 600
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=phone)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.send("Page.navigate", url=page.resolve().as_uri())
        is_ready = ready or "'sleepsweepReport' in window"
        self.wait_for(f"document.readyState === 'complete' && ({is_ready})")
        if not ready:
            self.run("window.sleepsweepReport.drawn")

    def trouble(self) -> list[object]:
        """What was said on the console, what was thrown, and what was asked of a network."""
        sent = [event["params"]["request"]["url"] for event in self.events
                if event["method"] == "Network.requestWillBeSent"]  # fmt: skip
        left = [url for url in sent if not url.startswith(("file://", "data:", "blob:"))]
        return [event for event in self.events if event["method"] in TROUBLE] + left

    def sticks_out(self) -> list[str]:
        """Elements of the page that are wider than it and stand in nothing that scrolls."""
        # A phone's window grows with what is in it: the width that was asked for does not.
        is_wider = self.run("document.documentElement.scrollWidth") > self._width
        return ["the page"] * is_wider + list(self.run(WIDER))

    def wait_for(self, expression: str) -> None:
        """Wait until a JavaScript expression holds; raises `TableError` where it never does."""
        until = time.monotonic() + TIMEOUT_S
        while not self.run(expression):
            if time.monotonic() > until:
                raise TableError(f"browser: still not so after {TIMEOUT_S:.0f} s: {expression}")
            time.sleep(0.05)

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited where it is a promise."""
        found = self.send("Runtime.evaluate", expression=expression, awaitPromise=True,
                          returnByValue=True)  # fmt: skip
        if "exceptionDetails" in found:
            raise TableError(f"browser: {expression}: {found['exceptionDetails'].get('text')}")
        return found["result"].get("value")

    def _next(self, until: float) -> Plain:
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self._reading], [], [], max(until - time.monotonic(), 0))
            part = os.read(self._reading, 1 << 16) if ready else b""
            if not part:
                raise TableError(f"browser: no answer within {TIMEOUT_S:.0f} s, or it has ended.")
            self._waiting += part
        text, self._waiting = self._waiting.split(b"\0", 1)
        message: Plain = json.loads(text)
        return message


@contextmanager
def open_page(browser: str) -> Iterator[Tab]:
    """An empty tab of a new `browser` (the path of Chromium), which is ended afterwards."""
    to_browser, writing = _pipe()
    reading, from_browser = _pipe()

    def as_three_and_four() -> None:
        os.dup2(to_browser, 3)
        os.dup2(from_browser, 4)

    with tempfile.TemporaryDirectory(prefix="browser", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [browser, *FLAGS, f"--user-data-dir={profile}"],
            preexec_fn=as_three_and_four, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        try:
            tab = Tab(reading, writing)
            tab.attach()
            yield tab
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)
            os.close(reading)
            os.close(writing)


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are far from 3 and 4, which the browser wants for its own."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
