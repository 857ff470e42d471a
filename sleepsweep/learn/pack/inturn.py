"""Runs that take turns, step by step, in one process."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sleepsweep.learn.device import global_draws_kept, moved
from sleepsweep.learn.pretrain import Pretraining
from sleepsweep.learn.rows import Gather


def in_turn(
    runs: Sequence[Pretraining], gather: Gather, rows: Sequence[NDArray[np.int64]], steps: int
) -> list[float]:
    """Take `steps` steps with every run, one step each in turn; see `train_pack`."""
    losses = [torch.zeros((), dtype=torch.float64, device=run.device) for run in runs]
    for run in runs:
        run.train(True)
    with global_draws_kept(runs[0].device):
        for _ in range(steps):
            batches = Batches(gather)
            for loss, run, own in zip(losses, runs, rows, strict=True):
                loss += run.advance(batches.of(run, own))
    return [float(loss) / max(steps, 1) for loss in losses]


class Batches:
    """The batches of a step of several runs, each gathered once."""

    def __init__(self, gather: Gather) -> None:
        self._gather = gather
        self._gathered: dict[tuple[torch.device, bytes], Tensor] = {}

    def of(self, run: Pretraining, rows: NDArray[np.int64]) -> Tensor:
        """Return the epochs (batch, channel, time) of a run's next step, where the run is."""
        chosen = run.next_batch(rows)
        key = (run.device, chosen.tobytes())
        if key not in self._gathered:
            self._gathered[key] = moved(self._gather(chosen), run.device)
        return self._gathered[key]
