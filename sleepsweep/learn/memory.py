"""How much memory a process has used."""

from __future__ import annotations

import resource
import sys

from sleepsweep.torchlater import torch

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


# How torch, CUDA and its libraries say that a GPU has no memory left, in that order. The last is
# what torch says where cuDNN was refused a workspace. It may mean that cuDNN has no such operation;
# then it is raised to a trial that has the GPU to itself as well, and known for what it is.
FULL = (
    "OutOfMemoryError",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUFFT_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "unable to find an engine to execute this computation",
)


def is_gpu_full(error: str) -> bool:
    """Whether an error, or a traceback, says that a GPU has no memory left.

    Only what torch's own allocator is refused has a class of its own: where other processes fill
    the GPU, starting to use it fails, and so do libraries, in words of theirs.
    """
    return any(words in error for words in FULL)
