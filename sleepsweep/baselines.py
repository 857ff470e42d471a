"""Baselines: what is reached on a block without augmentations, and mostly without pretraining.

A baseline is a function *(trial, store, device, rows to fit on, epochs held out) → their stages*;
`BASELINES` names them all. A search space is checked against these names: what they compute with
is imported by those that are run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sleepsweep.learn.probespec import Features, Stages
from sleepsweep.learn.rows import Gather, by_batches
from sleepsweep.seeds import stream
from sleepsweep.trial import TrialSpec

if TYPE_CHECKING:
    from sleepsweep.data.store import Store
    from sleepsweep.learn.encoders import Encoder
    from sleepsweep.learn.pretrain import Axes
    from sleepsweep.learn.probe import FittedProbe

Rows = NDArray[np.int64]


class HeldOut(NamedTuple):
    """Epochs to stage: rows of what `gather` returns."""

    gather: Gather
    rows: Rows


Baseline = Callable[[TrialSpec, "Store", str, Rows, HeldOut], Stages]


def encoder_of(trial: TrialSpec, store: Store) -> Encoder:
    """Return the trial's encoder with the weights at which all trials of its block begin."""
    weights = stream("weights", split=trial.split, seed=trial.seed)
    return trial.encoder.build(len(store.channels), weights, samples=store.manifest.shape[2])


def untrained(
    trial: TrialSpec, store: Store, device: str, fitted: Rows, held_out: HeldOut
) -> Stages:
    """The probe on the encoder at its first step: what random filters tell."""
    from sleepsweep.learn.probe import embed_rows

    encoder = encoder_of(trial, store).to(device)
    features = embed_rows(encoder, store.gather, fitted)
    return _probe(trial, store, fitted, features).predict(embed_rows(encoder, *held_out))


def band_powers(
    trial: TrialSpec, store: Store, device: str, fitted: Rows, held_out: HeldOut
) -> Stages:
    """The probe on the log powers of five bands: what a spectrum tells."""
    from sleepsweep.learn.bandpowers import log_band_powers

    powers = partial(log_band_powers, sfreq=store.sfreq)
    features = by_batches(powers, store.gather, fitted)
    return _probe(trial, store, fitted, features).predict(by_batches(powers, *held_out))


def with_labels(
    trial: TrialSpec, store: Store, device: str, fitted: Rows, held_out: HeldOut
) -> Stages:
    """The same encoder and a linear layer, trained with the labels of all the labelled epochs.

    As many steps as a trial pretrains, of the same batch size and initial learning rate.
    """
    from sleepsweep.learn.finetune import FinetuneSpec, Labelled, build_staging, fine_tune

    block: Axes = {"split": trial.split, "seed": trial.seed}
    spec = FinetuneSpec(
        classifier="linear", dropout=0.0, steps=trial.pretrain.steps,
        batch_size=trial.pretrain.batch_size, learning_rate=trial.pretrain.learning_rate,
    )  # fmt: skip
    network = build_staging(
        encoder_of(trial, store), trial.encoder.latent_dim, spec, stream("classifier", **block)
    ).to(device)
    labelled = Labelled(store.gather, store.stages, store.rows(trial.labelled))
    fine_tune(network, spec, labelled, block)
    return network.stage(*held_out)


def _probe(trial: TrialSpec, store: Store, fitted: Rows, features: Features) -> FittedProbe:
    return trial.probe.fit(features, store.stages(fitted), store.subjects_of(fitted))


BASELINES: dict[str, Baseline] = {
    "untrained": untrained, "band_powers": band_powers, "with_labels": with_labels,
}  # fmt: skip
