"""Several pretraining runs in one process: step by step in turn, or as one batched program.

Each run ends as it would have by its own `run`, so that it is probed, saved and resumed by itself.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sleepsweep.learn.pack.alike import likeness
from sleepsweep.learn.pack.batched import batched
from sleepsweep.learn.pack.inturn import in_turn
from sleepsweep.learn.pretrain import Pretraining
from sleepsweep.learn.rows import Gather

__all__ = ["Program", "batched", "in_turn", "train_pack"]

Program = Literal["auto", "in turn", "batched"]


def train_pack(
    runs: Sequence[Pretraining], gather: Gather, rows: Sequence[NDArray[np.int64]], steps: int,
    program: Program = "auto",
) -> list[float]:  # fmt: skip
    """Take `steps` steps with every run, from where it stands; return the mean loss of each.

    `rows` holds the epochs that each run trains on, and `gather` maps them to (batch, channel,
    time), as in `Pretraining.run`. By default runs take turns on a CPU, for which our networks are
    made, and are batched elsewhere: those that are alike, a program for each kind; all others take
    turns. Batched, a run's numbers are those of its own `run` but for rounding and, on a
    GPU, for what dropout draws; in turn they are the same bit for bit.

    Where a device has no memory left its error is raised as it is. Runs that were batched then
    stand where they stood, so that fewer of them can go on at once.
    """
    kinds: dict[Hashable, list[int]] = defaultdict(list)
    for number, (run, own) in enumerate(zip(runs, rows, strict=True)):
        together = program == "batched" or (program == "auto" and run.device.type != "cpu")
        kinds[likeness(run, own) if together else None].append(number)
    losses: dict[int, float] = {}
    for kind, numbers in kinds.items():
        train = in_turn if kind is None or len(numbers) == 1 else batched
        some = [runs[number] for number in numbers], gather, [rows[number] for number in numbers]
        losses |= zip(numbers, train(*some, steps), strict=True)
    return [losses[number] for number in range(len(runs))]
