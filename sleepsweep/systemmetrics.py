"""What a trial takes of its machine while it runs: processor, memory and GPU, by the second."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sleepsweep.torchlater import torch

EVERY_S = 5.0
MEGABYTE = 1e6

# As MLflow calls its own, whose pages show them in a part of their own; the trial's are ours.
CPU = "system/cpu_utilization_percentage"
MEMORY = "system/system_memory_usage_megabytes"
MEMORY_SHARE = "system/system_memory_usage_percentage"
TRIAL_CPU = "system/trial_cpu_utilization_percentage"
TRIAL_MEMORY = "system/trial_memory_usage_megabytes"
GPU = "system/gpu_0_utilization_percentage"
GPU_MEMORY = "system/gpu_0_memory_usage_megabytes"

TIME = "recorded_ms"
"""Key of a sample that holds when it was taken, in milliseconds since 1970."""

Sample = dict[str, float]


@contextmanager
def sampled(path: Path, device: str, every_s: float = EVERY_S) -> Iterator[None]:
    """Append a line of JSON to `path` every so many seconds while the block runs, and at its end.

    The trial's figures are those of this process, and 100 % is one processor. `device` is the
    trial's, as torch calls it. A thread takes the samples, so that the block is not held up.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _drop_half_a_line(path)
    measure = _measuring(device)
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(every_s):
            _append(path, measure())
        _append(path, measure())

    thread = threading.Thread(target=work, name="system metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def read_samples(path: Path) -> list[Sample]:
    """Return the samples in a file, none where there is no file."""
    if not path.exists():
        return []
    # What follows the last newline is still being written.
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


def memory_mib(device: str) -> tuple[float, float]:
    """Return how many MiB of a device of torch's are used, and how many there are."""
    import psutil

    if device == "cuda":
        free, total = torch.cuda.mem_get_info()
        return (total - free) / 2**20, total / 2**20
    memory = psutil.virtual_memory()
    return memory.used / 2**20, memory.total / 2**20


def own_memory_mib() -> float:
    """Return this process's MiB, its share only of what it holds together with others."""
    import psutil

    return float(psutil.Process().memory_full_info().pss) / 2**20


def _measuring(device: str) -> Callable[[], Sample]:
    import psutil

    process = psutil.Process()
    # The first call only begins the interval over which the next one averages.
    process.cpu_percent()
    psutil.cpu_percent()

    def measure() -> Sample:
        memory = psutil.virtual_memory()
        return {
            TIME: time.time_ns() // 1_000_000,
            CPU: psutil.cpu_percent(),
            MEMORY: memory.used / MEGABYTE,
            MEMORY_SHARE: memory.percent,
            TRIAL_CPU: process.cpu_percent(),
            TRIAL_MEMORY: process.memory_info().rss / MEGABYTE,
            **_gpu(device),
        }

    return measure


def _gpu(device: str) -> Sample:
    # A trial on the processor may see GPUs all the same: newer Rays hide them from nobody.
    if device != "cuda" or not torch.cuda.is_available():
        return {}
    free, total = torch.cuda.mem_get_info()
    return {GPU_MEMORY: (total - free) / MEGABYTE, **_gpu_load()}


def _gpu_load() -> Sample:
    # NVIDIA's library for Python is no dependency of torch's.
    try:
        from pynvml import NVMLError
    except ModuleNotFoundError:
        return {}
    # It has no load to tell of a part of a GPU (MIG), nor of a GPU that torch cannot find in it.
    try:
        return {GPU: float(torch.cuda.utilization())}
    except (NVMLError, RuntimeError):
        return {}


def _append(path: Path, sample: Sample) -> None:
    with path.open("a") as handle:
        handle.write(json.dumps(sample) + "\n")


def _drop_half_a_line(path: Path) -> None:
    # A killed worker may have left one.
    text = path.read_text() if path.exists() else ""
    if text and not text.endswith("\n"):
        path.write_text(text[: text.rfind("\n") + 1])
