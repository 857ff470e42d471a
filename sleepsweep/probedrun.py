"""A trial between its rungs: an encoder that is pretrained on two views, and read by a probe."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from sleepsweep.augment import Policy, Signal, batch_partners
from sleepsweep.baselines import Rows, encoder_of
from sleepsweep.data.store import Store
from sleepsweep.learn.checkpoint import load_checkpoint, save_checkpoint
from sleepsweep.learn.pretrain import Axes, Pretraining, Streams, Views
from sleepsweep.learn.probe import embed_rows
from sleepsweep.learn.processes import Group
from sleepsweep.learn.together import PretrainingTogether
from sleepsweep.probing import Embedded, Probed, probe, probed
from sleepsweep.trial import TrialSpec


class ProbedRun:
    """The pretraining of a trial, and the probe that says where it stands.

    `spent_s` are the seconds of training and probing so far.
    """

    def __init__(
        self, trial: TrialSpec, store: Store, exam: Store | None = None,
        device: torch.device | str = "cpu",
    ) -> None:  # fmt: skip
        self.trial, self.store = trial, store
        self.scored = store if exam is None else exam
        self.rows = store.rows(trial.train)
        self.pretraining = pretraining_of(trial, store, device)
        self.spent_s = 0.0

    def train(self, step: int) -> float:
        """Train up to a step; return the mean loss on the way."""
        with self._timed():
            return self.pretraining.run(self.store.gather, self.rows, step)

    def embedded(self) -> Embedded:
        """Embed the epochs that the probe is fitted on, and those that it is scored on."""
        trial, encoder = self.trial, self.pretraining.encoder
        sources = (self.store, trial.labelled), (self.scored, trial.scored)
        return Embedded(*(
            np.nan_to_num(embed_rows(encoder, store.gather, probed(trial, store, subjects)))
            for store, subjects in sources
        ))  # fmt: skip

    def probe(self) -> Probed:
        """Confusion matrices of the scored subjects, and how far the embeddings are spread."""
        with self._timed():
            return probe(self.trial, self.store, self.scored, self.embedded())

    def save(self, checkpoint: Path, rungs: Sequence[dict[str, Any]]) -> None:
        """Write the state, and what was reported so far."""
        state = {"pretraining": self.pretraining.state(), "rungs": list(rungs)}
        save_checkpoint(state, checkpoint)

    def restore(self, checkpoint: Path) -> list[dict[str, Any]]:
        """Continue from what `save` wrote; return what had been reported."""
        state = load_checkpoint(checkpoint)
        self.pretraining.restore(state["pretraining"])
        return list(state["rungs"])

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.spent_s += time.perf_counter() - started


def pretraining_of(
    trial: TrialSpec, store: Store, device: torch.device | str, group: Group | None = None
) -> Pretraining:
    """Return the pretraining of a trial, at its start; with a `group` one that processes share."""
    block: Axes = {"split": trial.split, "seed": trial.seed}
    policy = trial.build_policy().in_signal(signal_of(store, trial.train))
    parts = (
        encoder_of(trial, store).to(device),
        trial.pretrain,
        views_of(policy, trial.mix_partner, store, store.rows(trial.train)),
        Streams(block, {**block, "policy": trial.policy_text}),
    )
    return Pretraining(*parts) if group is None else PretrainingTogether(*parts, group)


def signal_of(store: Store, subjects: Collection[str]) -> Signal:
    """Return what the epochs of a store hold, with the units of the recordings of `subjects`."""
    return Signal(store.sfreq, store.uv_per_unit(subjects), store.units_per_sd(subjects))


def views_of(policy: Policy, mix_partner: str, store: Store, rows: Rows) -> Views:
    """Return the function *(epochs, generator) → two views* that pretraining is handed.

    Partners for mixing come from all training epochs (``store``) or from the batch (``batch``),
    one for each epoch and the same for both views.
    """

    def views(epochs: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        if mix_partner == "batch":
            return policy.views(epochs, generator, batch_partners(epochs))

        def partners(count: int, generator: Generator) -> Tensor:
            picks = torch.randint(len(rows), (count,), generator=generator, device=epochs.device)
            return torch.from_numpy(store.gather(rows[picks.cpu().numpy()])).to(epochs.device)

        return policy.views(epochs, generator, partners)

    return views
