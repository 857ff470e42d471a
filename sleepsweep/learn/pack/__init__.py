"""Several pretraining runs in one process: a stand-in, one after the other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sleepsweep.learn.pretrain import Pretraining
from sleepsweep.learn.rows import Gather


def train_pack(
    runs: Sequence[Pretraining], gather: Gather, rows: Sequence[NDArray[np.int64]], steps: int
) -> list[float]:
    """Take `steps` steps with every run, from where it stands; return the mean loss of each."""
    return [run.run(gather, own, run.step + steps) for run, own in zip(runs, rows, strict=True)]
