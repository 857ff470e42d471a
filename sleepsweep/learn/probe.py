"""Probes: what is read from the features of a frozen encoder, and by how simple a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sleepsweep.learn.probespec import Features, ProbeSpec, Stages, Subjects
from sleepsweep.learn.rows import Gather, by_batches
from sleepsweep.metrics import STAGES, confusion, macro_f1
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Features", "FittedProbe", "ProbeSpec", "Stages", "Subjects", "embed", "embed_rows", "fit"
]  # fmt: skip

CHOICES_OF_C = (0.01, 0.1, 1.0, 10.0, 100.0)
FOLDS = 5
EMBEDDED = 96
"""Epochs that are embedded at a time: of more, a cache would not hold what layers hand on."""
# A logit that no other stage's is below.
NEVER = -1e9


@dataclass(frozen=True)
class FittedProbe:
    """A probe that has been fitted: a pipeline of scikit-learn's."""

    pipeline: Any

    def predict(self, features: Features) -> Stages:
        """Return the stages 0–4 of (epoch, latent_dim) features."""
        return np.asarray(self.pipeline.predict(features), dtype=np.int8)

    @property
    def C(self) -> float | None:  # noqa: N802 - its name everywhere
        """The inverse strength of a linear probe's penalty, given or chosen; None of others."""
        return getattr(self.pipeline[-1], "C", None)

    def coefficients(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Weights (5, latent_dim) and biases (5,) that give a linear probe's logits of features.

        The standardisation is in them. A stage that the probe has not seen is never predicted.
        None where the probe is not linear.
        """
        scaler, classifier = self.pipeline
        if not hasattr(classifier, "coef_"):
            return None
        weights, biases = classifier.coef_ / scaler.scale_, classifier.intercept_
        biases = biases - weights @ scaler.mean_
        if len(classifier.classes_) == 2:
            # Of two stages scikit-learn keeps the logit of the second against the first.
            weights, biases = np.vstack([0 * weights, weights]), np.append(0.0, biases)
        every_weight = np.zeros((len(STAGES), weights.shape[1]), dtype=np.float32)
        every_bias = np.full(len(STAGES), NEVER, dtype=np.float32)
        every_weight[classifier.classes_], every_bias[classifier.classes_] = weights, biases
        return every_weight, every_bias


def fit(spec: ProbeSpec, features: Features, stages: Stages, subjects: Subjects) -> FittedProbe:
    """Return the probe of `spec`, fitted as its `fit` says."""
    if len(np.unique(stages)) == 1:
        return _fitted(DummyClassifier(strategy="most_frequent"), features, stages)
    if spec.kind == "knn":
        count = min(spec.neighbours, len(stages))
        return _fitted(KNeighborsClassifier(count), features, stages)
    C = _chosen(features, stages, subjects) if spec.C == "cross_validated" else spec.C
    return _fitted(LogisticRegression(C=C, max_iter=500), features, stages)


def _fitted(classifier: Any, features: Features, stages: Stages) -> FittedProbe:
    return FittedProbe(make_pipeline(StandardScaler(), classifier).fit(features, stages))


def _chosen(features: Features, stages: Stages, subjects: Subjects) -> float:
    """The best C in folds of subjects; 1 where no fold leaves two subjects and two stages."""
    people = len(np.unique(subjects))
    if people < 2:
        return 1.0
    folds = GroupKFold(min(FOLDS, people)).split(features, stages, subjects)
    usable = [(train, test) for train, test in folds if len(np.unique(stages[train])) > 1]
    if not usable:
        return 1.0
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
        {"logisticregression__C": CHOICES_OF_C},
        cv=usable,
        scoring=make_scorer(lambda truth, guess: macro_f1(confusion(truth, guess))),
        refit=False,
    ).fit(features, stages)
    return float(search.best_params_["logisticregression__C"])


def embed(network: nn.Module, epochs: NDArray[np.float32], batch_size: int = EMBEDDED) -> Features:
    """Return what `network` makes of epochs (epoch, channel, time), such as their embeddings.

    Without dropout: the network is put into evaluation mode and stays there.
    """
    return embed_rows(network, lambda rows: epochs[rows], np.arange(len(epochs)), batch_size)


def embed_rows(
    network: nn.Module, gather: Gather, rows: NDArray[np.int64], batch_size: int = EMBEDDED
) -> Features:
    """`embed` for the epochs that `gather` returns of `rows`, of which few are held at a time."""
    network.eval()
    device = next(network.parameters()).device

    def embedded(epochs: NDArray[np.float32]) -> Features:
        with torch.inference_mode():
            return network(torch.from_numpy(epochs).to(device)).float().cpu().numpy()  # type: ignore[no-any-return]

    return by_batches(embedded, gather, rows, batch_size)
