"""The epochs that the page shows: one of each stage that the data hold."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sleepsweep.data.store import Store
from sleepsweep.metrics import STAGES
from sleepsweep.seeds import numpy_generator


@dataclass(frozen=True)
class Example:
    """An epoch of a stage, and another of the store that it is mixed with; (1, channel, time)."""

    stage: str
    epoch: Tensor
    partner: Tensor


def examples_of(store: Store, seed: int = 0) -> list[Example]:
    """Return an example of each stage that is there: one of its cleanest epochs, at random."""
    rows = store.rows(store.subjects)
    stages, quality = store.stages(rows), store.quality(rows)
    found = []
    for number, stage in enumerate(STAGES):
        of_stage = rows[stages == number]
        if len(of_stage):
            clean = quality[stages == number]
            generator = numpy_generator("example", seed=seed, stage=stage)
            row = generator.choice(of_stage[clean == clean.max()])
            pair = torch.from_numpy(store.gather(np.array([row, generator.choice(rows)])))
            found.append(Example(stage, pair[:1], pair[1:]))
    return found
