"""What a trial's probe reads of a store, and the confusion matrices that come of it.

Without torch, which a process that only fits probes need not load.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np

from sleepsweep.baselines import HeldOut, Rows
from sleepsweep.data.store import Store
from sleepsweep.learn.collapse import spread_of
from sleepsweep.learn.probespec import Features, Stages
from sleepsweep.metrics import confusion
from sleepsweep.trial import TrialSpec

Probed = tuple[dict[str, list[list[int]]], float]
"""Confusion matrices of the scored subjects, and how far the embeddings are spread."""


class Embedded(NamedTuple):
    """Embeddings (epoch, latent_dim): of `probed` epochs to fit on, and of those held out."""

    fitted: Features
    held_out: Features


def probed(trial: TrialSpec, store: Store, subjects: Collection[str]) -> Rows:
    """Rows of the epochs of these subjects that probes read, a subject after the other."""
    return np.concatenate([trial.probe.choose(store.rows([subject])) for subject in subjects])


def probe(trial: TrialSpec, store: Store, scored: Store, embedded: Embedded) -> Probed:
    """Fit a trial's probe on what it embedded of `store`, and stage what it did of `scored`."""
    fitted = probed(trial, store, trial.labelled)
    features = embedded.fitted
    found = trial.probe.fit(features, store.stages(fitted), store.subjects_of(fitted))
    confusions = confusions_of(trial, scored, lambda _: found.predict(embedded.held_out))
    return confusions, spread_of(features)


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
