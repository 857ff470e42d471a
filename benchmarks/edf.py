"""Importing one night as Sleep-EDF's cassettes hold it: 22 hours, seven signals, one wanted.

``python -m benchmarks.edf`` writes such a night (white noise, a hypnogram of eight hours of sleep),
imports it in fresh processes, and prints a table and a line of JSON. Seconds are those of the whole
import, with MNE's own start; the peak memory is that of the process.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import numpy as np

from benchmarks.store import peak
from sleepsweep.data.edf.writing import write_hypnogram
from sleepsweep.data.preparation import import_store
from sleepsweep.data.source import DataSpec

HOURS, SLEEP = 22, slice(900, 1860)
START = datetime(1989, 4, 24, 16, 13)
FAST = {"EEG Fpz-Cz": "uV", "EEG Pz-Oz": "uV", "EOG horizontal": "uV"}
SLOW = {"Resp oro-nasal": "", "EMG submental": "uV", "Temp rectal": "DegC", "Event marker": ""}


def write_night(folder: Path) -> None:
    """Write the recording and its hypnogram under names of Sleep-EDF."""
    from edfio import Edf, EdfSignal, Recording

    draw = np.random.default_rng(0)
    signals = [
        EdfSignal(
            draw.normal(0, 20, HOURS * 3600 * sfreq), sfreq, label=label, physical_dimension=unit,
            physical_range=(-200, 200),
        )
        for kinds, sfreq in ((FAST, 100), (SLOW, 1))
        for label, unit in kinds.items()
    ]  # fmt: skip
    recording = Recording(startdate=START.date())
    night = Edf(signals, recording=recording, starttime=START.time(), data_record_duration=30)
    night.write(folder / "SC4001E0-PSG.edf")
    stages = np.zeros(HOURS * 120, dtype=np.int8)
    stages[SLEEP] = draw.integers(0, 5, SLEEP.stop - SLEEP.start)
    write_hypnogram(folder / "SC4001EC-Hypnogram.edf", stages, 30, START)


def imported(folder: Path, store: Path) -> dict[str, float]:
    """Import the night in this process."""
    before, started = peak(), time.perf_counter()
    made = import_store(DataSpec().pointed_at(folder), store)
    seconds = time.perf_counter() - started
    return {
        "s": seconds,
        "peak_mib": peak(),
        "before_mib": before,
        "epochs": made.manifest.shape[0],
    }


def measure(folder: Path, repeats: int) -> list[dict[str, float]]:
    """Import the night `repeats` times, each in a fresh process."""
    found = []
    for number in range(repeats):
        command = [sys.executable, "-m", "benchmarks.edf", "--import", str(folder), str(number)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(run.stdout))
    return found


def main() -> None:
    """Run the benchmark, or one import of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edf")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--import", dest="one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        folder, number = options.one
        print(json.dumps(imported(Path(folder), Path(f"{folder}-{number}"))))
        return
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "night"
        folder.mkdir()
        write_night(folder)
        found = measure(folder, options.repeats)
    middle = {key: statistics.median(one[key] for one in found) for key in found[0]}
    print("| what | measured |\n|---|---|")
    print(
        f"| import a night of {HOURS} hours and 7 signals ({middle['epochs']:,.0f} epochs kept), "
        f"median of {len(found)} | {middle['s']:.2f} s, peak {middle['peak_mib']:.0f} MiB "
        f"({middle['before_mib']:.0f} before) |"
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
