"""The store: opening 200,000 epochs, sharing their pages, importing 153 nights.

``python -m benchmarks.store`` prints a table and a line of JSON. Nights are white noise of the size
of Sleep-EDF's (1,250 epochs of 30 s at 100 Hz, one derivation, float32): the work done on an epoch
does not depend on what is in it. About 8 GB of disk are needed below the folder for temporary
files; what is written there is deleted at the end. Every figure is of a fresh process.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import seconds_of
from sleepsweep.data.preparation import import_store
from sleepsweep.data.recording import Recording, prepared
from sleepsweep.data.source import DataSpec
from sleepsweep.data.store import Store
from sleepsweep.data.store_files import write_store

EPOCHS_A_NIGHT, SAMPLES, SFREQ = 1250, 3000, 100.0
MEBI = 1024.0  # smaps counts in KiB

Figures = dict[str, float]


def noise(night: int) -> np.ndarray:
    """One night of white noise, (epoch, time)."""
    draw = np.random.default_rng(night)
    return draw.standard_normal((EPOCHS_A_NIGHT, SAMPLES), dtype=np.float32)


def recordings(count: int) -> Iterator[Recording]:
    """Yield `count` nights, two a subject."""
    for night in range(count):
        yield Recording(
            subject=f"s{night // 2:03d}",
            night=night % 2 + 1,
            epochs=noise(night)[:, None],
            stages=(np.arange(EPOCHS_A_NIGHT) % 5).astype(np.int8),
            positions=np.arange(EPOCHS_A_NIGHT, dtype=np.int32),
            sfreq=SFREQ,
            channels=("Fpz-Cz",),
            unit="uV",
            source=f"noise {night}",
        )


def make_store(folder: Path, epochs: int) -> None:
    """Write a store of `epochs` epochs."""
    folder.mkdir()
    nights = (
        prepared(one, sfreq=SFREQ, normalize="none", wake_crop_min=None)
        for one in recordings(epochs // EPOCHS_A_NIGHT)
    )
    write_store(folder, nights, {"normalize": "none"}, key="benchmark")


def make_npz(folder: Path, nights: int) -> None:
    """Write a folder of npz files."""
    folder.mkdir()
    stages = np.arange(EPOCHS_A_NIGHT) % 5
    for night in range(nights):
        path = folder / f"SC4{night // 2:02d}{night % 2 + 1}E0.npz"
        np.savez(path, x=noise(night), y=stages, fs=SFREQ, ch_label="EEG Fpz-Cz")


def memory() -> Figures:
    """Resident memory of this process in MiB: its own, and pages of files (shared if others map).

    `proportional` divides each page by the number of processes that map it.
    """
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    kibi = {line.split(":")[0]: float(line.split()[1]) for line in lines}
    return {
        "own": kibi["Anonymous"] / MEBI,
        "of_files": (kibi["Rss"] - kibi["Anonymous"]) / MEBI,
        "proportional": kibi["Pss"] / MEBI,
    }


def peak() -> float:
    """Highest resident memory of this process so far, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / MEBI


def opened(folder: Path) -> Figures:
    """Open a store whose files are not in memory, and again; then gather 256 rows."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    before = memory()
    figures = {"cold_s": seconds_of(lambda: Store.open(folder))}
    started = time.perf_counter()
    store = Store.open(folder)
    figures["warm_s"] = time.perf_counter() - started
    after = memory()
    count = store.manifest.shape[0]
    rows = np.random.default_rng(0).integers(count, size=256)
    figures["gather_256_s"] = seconds_of(lambda: store.gather(rows))
    return figures | {
        "open_own_mib": after["own"] - before["own"],
        "open_of_files_mib": after["of_files"] - before["of_files"],
        "gather_of_files_mib": memory()["of_files"] - after["of_files"],
    }


def verified(folder: Path) -> Figures:
    """Read every epoch against its hash."""
    store = Store.open(folder)
    before = peak()
    return {"s": seconds_of(store.verify), "peak_more_mib": peak() - before}


def touching(folder: Path) -> Figures:
    """Touch every epoch, wait until the other process has done so too, and tell the memory."""
    store = Store.open(folder)
    before = memory()
    rows = np.arange(store.manifest.shape[0])
    for start in range(0, len(rows), 1000):
        store.gather(rows[start : start + 1000])
    print("ready", flush=True)
    sys.stdin.readline()
    after = memory()
    return {f"{kind}_more_mib": after[kind] - before[kind] for kind in after}


def imported(folder: Path) -> Figures:
    """Import a folder of npz files."""
    before = peak()
    spec = DataSpec(source="npz", root=str(folder))
    seconds = seconds_of(lambda: import_store(spec, folder.with_name(f"{folder.name}-store")))
    return {"s": seconds, "peak_mib": peak(), "before_mib": before}


PARTS = {part.__name__: part for part in (opened, verified, touching, imported)}


def in_processes(part: str, folder: Path, count: int = 1) -> list[Figures]:
    """Run a part in `count` processes at once, which go on together once all have said ready."""
    command = [sys.executable, "-m", "benchmarks.store", "--part", part, "--folder", str(folder)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(count)]
    if count > 1:
        for process in processes:
            process.stdout.readline()  # type: ignore[union-attr]
    # Each reads the others' memory as still mapped: they are told to end only afterwards.
    for process in processes:
        process.stdin.write("go\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    lines = [process.stdout.readline() for process in processes]  # type: ignore[union-attr]
    for process in processes:
        process.communicate()
        if process.returncode:
            raise RuntimeError(f"{part} failed with exit status {process.returncode}")
    return [json.loads(line) for line in lines]


def measure(root: Path, epochs: int, few: int, many: int) -> dict[str, Any]:
    """Measure everything below `root`."""
    make_store(root / "store", epochs)
    results: dict[str, Any] = {
        "open": in_processes("opened", root / "store")[0],
        "verify": in_processes("verified", root / "store")[0],
        "two": in_processes("touching", root / "store", count=2),
    }
    for nights in (few, many):
        make_npz(root / f"{nights}", nights)
        results[f"import_{nights}"] = in_processes("imported", root / f"{nights}")[0]
    return results


def markdown(results: dict[str, Any], epochs: int, few: int, many: int) -> str:
    """Return the results as a table."""
    found, check, two = results["open"], results["verify"], results["two"]
    rows = [
        (f"open {epochs:,} epochs, files not in memory", f"{found['cold_s']:.3f} s"),
        ("open, files in memory", f"{found['warm_s']:.3f} s"),
        ("memory of opening: own, pages of files",
         f"{found['open_own_mib']:.1f}, {found['open_of_files_mib']:.1f} MiB"),
        ("gather 256 random epochs",
         f"{found['gather_256_s']:.3f} s, {found['gather_of_files_mib']:.1f} MiB of files"),
        ("verify every epoch", f"{check['s']:.1f} s, {check['peak_more_mib']:.1f} MiB more"),
    ]  # fmt: skip
    for number, one in enumerate(two, start=1):
        text = ", ".join(f"{one[f'{kind}_more_mib']:,.0f}" for kind in ("own", "of_files"))
        share = f"{one['proportional_more_mib']:,.0f} MiB where shared pages are divided"
        what = f"process {number} of 2 that touch every epoch: own, pages of files"
        rows.append((what, f"{text} MiB; {share}"))
    for nights in (few, many):
        one = results[f"import_{nights}"]
        used = f"peak {one['peak_mib']:.0f} MiB ({one['before_mib']:.0f} before)"
        rows.append((f"import {nights} nights of {EPOCHS_A_NIGHT:,} epochs from npz",
                     f"{one['s']:.1f} s ({one['s'] / nights:.2f} s a night), {used}"))  # fmt: skip
    ratio = results[f"import_{many}"]["peak_mib"] / results[f"import_{few}"]["peak_mib"]
    rows.append((f"peak memory, {many} nights to {few}", f"{ratio:.2f}"))
    lines = ["| what | measured |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows)]
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark, or one part of it in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("--epochs", type=int, default=200_000)
    parser.add_argument("--nights", type=int, nargs=2, default=[10, 153], metavar=("FEW", "MANY"))
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](options.folder)), flush=True)
        sys.stdin.readline()
        return
    with tempfile.TemporaryDirectory() as root:
        results = measure(Path(root), options.epochs, *options.nights)
    print(markdown(results, options.epochs, *options.nights))
    machine = {"python": platform.python_version(), "cpus": os.cpu_count()}
    print(json.dumps({"machine": machine, **results}))


if __name__ == "__main__":
    main()
