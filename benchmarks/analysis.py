"""How long a simulated sweep takes to analyse and to draw, and the memory of it.

``python -m benchmarks.analysis`` prints a Markdown table. Each size is measured in a process of its
own, from the table in memory to the last file of the report.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

SIZES = (300, 3000)
RUNGS, SUBJECTS = 3, 10


def measure(trials: int) -> tuple[float, float, float, float]:
    """Seconds to analyse, seconds to draw, MB of the page, highest MB of the process."""
    from sleepsweep_analysis import analyse, report
    from sleepsweep_analysis.simulation import make_world, simulate

    table = simulate(
        make_world(0), trials=trials, blocks=5, rungs=RUNGS, subjects=SUBJECTS, asha=False
    )
    started = time.perf_counter()
    analysis = analyse(table)
    for name in TABLES:
        getattr(analysis, name)
    analysed = time.perf_counter()
    with TemporaryDirectory() as folder:
        page = report(analysis, Path(folder))
        size = page.stat().st_size / 1e6
    drawn = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return analysed - started, drawn - analysed, size, memory


# The slow ones; the others are computed while the report is drawn.
TABLES = ("effects", "sensitivity", "stages", "screen", "leaderboard", "crosschecks", "checks")


def main() -> None:
    """Measure every size in a fresh process, or one in this one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.analysis", description=__doc__)
    parser.add_argument("--trials", type=int, help="measure this size only, in this process")
    trials = parser.parse_args().trials
    if trials:
        analysed, drawn, page, memory = measure(trials)
        print(
            f"| {trials:,} × {RUNGS} | {analysed:.1f} | {drawn:.1f} | {page:.1f} | {memory:.0f} |"
        )
        return
    print("| trials × rungs | analysed, s | drawn, s | page, MB | memory, MB |")
    print("|---|---|---|---|---|", flush=True)
    for size in SIZES:
        command = [sys.executable, "-m", __spec__.name, "--trials", str(size)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
