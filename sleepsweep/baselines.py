"""Baselines: what is reached on a block without augmentations, and mostly without pretraining.

A baseline is a function *(trial, store, rows to fit on, epochs held out) → stages of these epochs*;
`BASELINES` names them all.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sleepsweep.data.store import Store
from sleepsweep.learn.bandpowers import log_band_powers
from sleepsweep.learn.encoders import Encoder
from sleepsweep.learn.pretrain import Axes
from sleepsweep.learn.probe import Stages, embed
from sleepsweep.learn.supervised import train_with_labels
from sleepsweep.seeds import stream
from sleepsweep.trial import TrialSpec

Rows = NDArray[np.int64]
Epochs = NDArray[np.float32]
Baseline = Callable[[TrialSpec, Store, Rows, Epochs], Stages]


def encoder_of(trial: TrialSpec, store: Store) -> Encoder:
    """Return the trial's encoder with the weights at which all trials of its block begin."""
    weights = stream("weights", split=trial.split, seed=trial.seed)
    return trial.encoder.build(len(store.channels), weights, samples=store.manifest.shape[2])


def untrained(trial: TrialSpec, store: Store, fitted: Rows, held_out: Epochs) -> Stages:
    """The probe on the encoder at its first step: what random filters tell."""
    encoder = encoder_of(trial, store)
    features = embed(encoder, store.gather(fitted))
    return trial.probe.predict(features, store.stages(fitted), embed(encoder, held_out))


def band_powers(trial: TrialSpec, store: Store, fitted: Rows, held_out: Epochs) -> Stages:
    """The probe on the log powers of five bands: what a spectrum tells."""
    features = log_band_powers(store.gather(fitted), store.sfreq)
    others = log_band_powers(held_out, store.sfreq)
    return trial.probe.predict(features, store.stages(fitted), others)


def with_labels(trial: TrialSpec, store: Store, fitted: Rows, held_out: Epochs) -> Stages:
    """The same encoder and a linear layer, trained with the labels of all the labelled epochs.

    As many steps as a trial pretrains, of the same batch size and initial learning rate.
    """
    block: Axes = {"split": trial.split, "seed": trial.seed}
    network = train_with_labels(
        encoder_of(trial, store), trial.encoder.latent_dim, store.gather, store.stages,
        store.rows(trial.labelled), steps=trial.pretrain.steps,
        batch_size=trial.pretrain.batch_size, learning_rate=trial.pretrain.learning_rate,
        axes=block,
    )  # fmt: skip
    return np.asarray(embed(network, held_out).argmax(axis=1), dtype=np.int8)


BASELINES: dict[str, Baseline] = {
    "untrained": untrained, "band_powers": band_powers, "with_labels": with_labels,
}  # fmt: skip
