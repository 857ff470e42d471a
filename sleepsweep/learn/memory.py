"""How much memory a process has used."""

import resource
import sys

import torch

# getrusage counts in KiB, but on macOS in bytes.
PER_MIB = 2**20 if sys.platform == "darwin" else 2**10


def forget_peak(device: torch.device) -> None:
    """Begin to measure anew, where that can be done: on a GPU. A process keeps its peak."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory_mib(device: torch.device) -> float:
    """Return the most MiB used so far: allocated on a GPU, else resident of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PER_MIB
