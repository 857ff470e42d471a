"""Pretraining that several processes share: the same batches, views and losses as one's alone."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sleepsweep.learn.encoders import Encoder
from sleepsweep.learn.pretrain import Pretraining, PretrainSpec, Streams, Views
from sleepsweep.learn.processes import Group, see_all
from sleepsweep.learn.rows import Gather


class PretrainingTogether(Pretraining):
    """A pretraining of which each process computes its share of every batch.

    One process leads: it is used like any `Pretraining`, and takes the others along in `run`.
    Those `follow` until they are dismissed; they hold nothing that a run would have to restore.
    Views are drawn of the whole batch by every process, so that they are the same views, and cost
    as much as in one process; the network sees a share of them. `batch_size` is a multiple of the
    number of processes.
    """

    def __init__(
        self, encoder: Encoder, spec: PretrainSpec, views: Views, streams: Streams, group: Group
    ) -> None:
        super().__init__(encoder, spec, views, streams)
        self.group = group
        see_all(self.encoder, group)
        see_all(self.projector, group)

    def run(self, gather: Gather, rows: NDArray[np.int64], until: int) -> float:
        """See `Pretraining.run`; the others run with this one, from its state."""
        self.group.told({"until": until, "state": self.state()})
        return super().run(gather, rows, until)

    def follow(self, gather: Gather, rows: NDArray[np.int64]) -> None:
        """Run whenever the leading process does, and end with `dismiss`."""
        while (told := self.group.told()) != DISMISSED:
            self.restore(told["state"])
            super().run(gather, rows, told["until"])

    def dismiss(self) -> None:
        """Let the others go."""
        self.group.told(DISMISSED)

    def _projected(self, view: Tensor) -> Tensor:
        # What is not trained on, the leading process sees alone.
        if not self.encoder.training:
            return super()._projected(view)
        return self.group.gathered(super()._projected(self.group.share(view)))

    def _backward(self, loss: Tensor) -> None:
        super()._backward(loss)
        self.group.add_gradients(self._parameters)


DISMISSED: dict[str, int] = {"until": 0}
