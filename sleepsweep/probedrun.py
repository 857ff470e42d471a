"""A trial between its rungs: an encoder that is pretrained on two views, and read by a probe."""

from collections.abc import Callable, Collection

import numpy as np
import torch
from torch import Generator, Tensor

from sleepsweep.augment import Policy, Signal, batch_partners
from sleepsweep.baselines import HeldOut, Rows, encoder_of
from sleepsweep.data.store import Store
from sleepsweep.learn.collapse import spread_of
from sleepsweep.learn.pretrain import Axes, Pretraining, Streams, Views
from sleepsweep.learn.probe import Stages, embed_rows
from sleepsweep.learn.processes import Group
from sleepsweep.learn.together import PretrainingTogether
from sleepsweep.metrics import confusion
from sleepsweep.trial import TrialSpec


class ProbedRun:
    """The pretraining of a trial, and the probe that says where it stands."""

    def __init__(
        self, trial: TrialSpec, store: Store, exam: Store | None = None,
        device: torch.device | str = "cpu",
    ) -> None:  # fmt: skip
        self.trial, self.store = trial, store
        self.scored = exam or store
        self._train = store.rows(trial.train)
        self.pretraining = pretraining_of(trial, store, device)

    def train(self, step: int) -> float:
        """Train up to a step; return the mean loss on the way."""
        return self.pretraining.run(self.store.gather, self._train, step)

    def probe(self) -> tuple[dict[str, list[list[int]]], float]:
        """Confusion matrices of the scored subjects, and how far the embeddings are spread."""
        trial, store, encoder = self.trial, self.store, self.pretraining.encoder
        fitted = probed(trial, store, trial.labelled)
        features = np.nan_to_num(embed_rows(encoder, store.gather, fitted))

        probe = trial.probe.fit(features, store.stages(fitted), store.subjects_of(fitted))

        def predict(held_out: HeldOut) -> Stages:
            return probe.predict(np.nan_to_num(embed_rows(encoder, *held_out)))

        return confusions_of(trial, self.scored, predict), spread_of(features)


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


def probed(trial: TrialSpec, store: Store, subjects: Collection[str]) -> Rows:
    """Rows of the epochs of these subjects that probes read, a subject after the other."""
    return np.concatenate([trial.probe.choose(store.rows([subject])) for subject in subjects])


def confusions_of(
    trial: TrialSpec, store: Store, predict: Callable[[HeldOut], Stages]
) -> dict[str, list[list[int]]]:
    """Stage the epochs of every subject that the trial is scored on; a matrix a subject."""
    rows = [probed(trial, store, [subject]) for subject in trial.scored]
    held_out = np.concatenate(rows)
    ends = np.cumsum([len(part) for part in rows])[:-1]
    truth = np.split(store.stages(held_out), ends)
    guess = np.split(predict(HeldOut(store.gather, held_out)), ends)
    parts = zip(trial.scored, truth, guess, strict=True)
    return {subject: confusion(one, other).tolist() for subject, one, other in parts}


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
