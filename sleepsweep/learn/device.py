"""What a computation is given on its device, and what it leaves there as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def moved(epochs: NDArray[np.float32], device: torch.device) -> Tensor:
    """Return epochs as a tensor on a device; a GPU need not be waited for."""
    tensor = torch.from_numpy(epochs)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


@contextmanager
def global_draws_kept(device: torch.device) -> Iterator[None]:
    """Put torch's global generators back in the end, those of the GPUs too where one is used."""
    # torch.manual_seed seeds every GPU, so that all of them are restored.
    devices = range(torch.cuda.device_count()) if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield
