"""All that is asked of speed, in one run: the table of the documentation.

    python -m benchmarks.performance [--only NAME ...] [--write]

Every benchmark runs by its own command in a process of its own, one after the other, in less than
20 minutes on two cores that do nothing else. Printed are what was asked and what was reached, then
each benchmark's own table under its command. ``--write`` puts them into ``docs/performance.md``,
and what they are made of into ``docs/performance.json``; with ``--only`` the other benchmarks stay
there as they were measured before, each with its revision.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.asked import ASKED
from benchmarks.tables import markdown_table

ROOT = Path(__file__).parents[1]
PAGE, FIGURES = ROOT / "docs/performance.md", ROOT / "docs/performance.json"
BEGIN, END = "<!-- measured: python -m benchmarks.performance --write -->", "<!-- /measured -->"


@dataclass(frozen=True)
class Measured:
    """What one benchmark printed, how long it took, and of which revision it is."""

    command: str
    revision: str
    seconds: float
    markdown: str
    figures: Any

    @classmethod
    def by(cls, name: str, arguments: Sequence[str]) -> "Measured":
        """Run the benchmark of that name; its table and its line of JSON are what it prints."""
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        started = time.perf_counter()
        ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        *lines, figures = ended.stdout.splitlines()
        return cls(
            " ".join(["python", *command[1:]]), revision(), time.perf_counter() - started,
            "\n".join(lines).strip(), json.loads(figures),
        )  # fmt: skip


def revision() -> str:
    """Return the revision of the code."""
    describe = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(describe, cwd=ROOT, capture_output=True, text=True).stdout.strip()


def machine() -> dict[str, str]:
    """Return what the numbers depend on: processor, memory, versions."""
    processor = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{os.cpu_count()} cores of {processor}",
        "memory": f"{memory:.0f} GiB",
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy", "ray", "optuna", "mlflow")},
    }


def markdown(here: dict[str, str], measured: dict[str, Measured]) -> str:
    """Return what was asked and reached, then every benchmark's table."""
    rows = [
        [each.what, each.limit, each.shown(each.of(found.figures)), each.verdict(found.figures)]
        for name, found in measured.items()
        for each in ASKED[name].points
    ]
    minutes = sum(found.seconds for found in measured.values()) / 60
    parts = [
        ", ".join(f"{name} {value}" for name, value in here.items())
        + f". {minutes:.0f} minutes in all.",
        markdown_table(["what", "asked", "reached", ""], rows),
        *(f"`{found.command}`, {found.seconds:.0f} s at {found.revision}\n\n{found.markdown}"
          for found in measured.values()),
    ]  # fmt: skip
    return "\n\n".join(parts)


def written_into(page: str, text: str) -> str:
    """Return the page with `text` in the place that is marked for it."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}"


def documented() -> dict[str, Measured]:
    """Return what the documentation holds by now."""
    plain = json.loads(FIGURES.read_text())["measured"]
    return {name: Measured(**each) for name, each in plain.items()}


def main() -> None:
    """Measure and print, or write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.performance", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=ASKED, default=[*ASKED])
    parser.add_argument("--write", action="store_true", help="write the documentation's table")
    options = parser.parse_args()
    here = machine()
    measured = {name: Measured.by(name, ASKED[name].arguments) for name in options.only}
    if options.write:
        known = documented() | measured
        measured = {name: known[name] for name in ASKED}
        plain = {name: asdict(each) for name, each in measured.items()}
        FIGURES.write_text(json.dumps({"machine": here, "measured": plain}, indent=1) + "\n")
        PAGE.write_text(written_into(PAGE.read_text(), markdown(here, measured)))
    print(markdown(here, measured))


if __name__ == "__main__":
    main()
