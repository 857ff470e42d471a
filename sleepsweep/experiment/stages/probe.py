"""Stage ``probe``: what a probe reads from the frozen encoder, on the validation subjects."""

import numpy as np
from numpy.typing import NDArray
from torch import nn

from sleepsweep.data.store import Store
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.scorefiles import write_scores
from sleepsweep.experiment.setting import Predict, Setting, staged
from sleepsweep.experiment.stages.base import PROBE, Found, Tell, encoder_of
from sleepsweep.learn.probe import Features, FittedProbe, embed_rows
from sleepsweep.learn.staging import Staging
from sleepsweep.model import Model, probe_classifier


def probe(setting: Setting, folder: ExperimentFolder, tell: Tell) -> Found:
    """Fit the probe on labelled training subjects; keep a linear one as a model."""
    encoder = encoder_of(setting, folder)
    fitted = fitted_probe(setting, encoder)
    classifier = probe_classifier(fitted)
    if classifier is not None:
        network = Staging(encoder, classifier)
        Model(setting.about(classifier.name), network).save(folder.path / PROBE)
    found = staged(setting.store, setting.validation, predicting(encoder, fitted))
    write_scores(found, folder.path / "probe", f"{setting.spec.name}: probe, validation subjects")
    chosen: Found = {"C": fitted.C} if fitted.C is not None else {}
    return {**chosen, **found.key_values()}


def fitted_probe(setting: Setting, encoder: nn.Module) -> FittedProbe:
    """Return the probe, fitted on the labelled epochs of the training subjects."""
    store, rows = setting.store, setting.probed
    features = _features(encoder, store, rows)
    return setting.spec.probe.fit(features, store.stages(rows), store.subjects_of(rows))


def predicting(encoder: nn.Module, fitted: FittedProbe) -> Predict:
    """Return how the probe stages the rows of a store."""
    return lambda store, rows: fitted.predict(_features(encoder, store, rows))


def _features(encoder: nn.Module, store: Store, rows: NDArray[np.int64]) -> Features:
    # A diverged encoder is an outcome: what it says nothing about is told apart by nothing.
    return np.asarray(np.nan_to_num(embed_rows(encoder, store.gather, rows)))
