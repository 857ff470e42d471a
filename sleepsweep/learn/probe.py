"""Probes: what is read from the features of a frozen encoder, and by how simple a classifier."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sleepsweep.learn.rows import Gather, by_batches, spread_evenly
from sleepsweep.metrics import STAGES, confusion, macro_f1
from sleepsweep.part import PartSpec, Shared, later
from sleepsweep.seeds import numpy_generator

Features = NDArray[np.float32]
Stages = NDArray[np.int8]
Subjects = NDArray[Any]

CHOICES_OF_C = (0.01, 0.1, 1.0, 10.0, 100.0)
FOLDS = 5
# A logit that no other stage's is below.
NEVER = -1e9


class ProbeSpec(PartSpec):
    """The YAML's ``probe``: multinomial logistic regression, or the nearest neighbours' vote.

    `C` is the inverse strength of the L2 penalty of the linear probe, or ``cross_validated``: the
    best of 0.01 to 100 by macro-F1 in five folds of the labelled training subjects, so that no
    subject is scored by a probe that has read it; the subjects that the probe is scored on have
    no part in it. `neighbours` are those of the probe ``knn``. `label_fraction` is the share of
    the training subjects whose labels the probe is fitted on, at least one; the encoder is
    pretrained on all of them, without labels. `epochs_per_subject` limits how many epochs of a
    subject the probe reads, spread evenly over the subject's nights (null: all of them): a rung
    then costs less, for every trial on the same epochs.
    """

    kind: Literal["linear", "knn"] = "linear"
    """Logistic regression, or the vote of the nearest neighbours."""
    C: Annotated[float, Field(gt=0.0)] | Literal["cross_validated"] = 1.0
    """The inverse strength of the linear probe's penalty, or chosen in folds of subjects."""
    neighbours: Annotated[int, Field(ge=1)] = later(10)
    """How many vote, of knn."""
    label_fraction: Annotated[
        float, Field(gt=0.0, le=1.0), Shared("the trials of a block read the same labels")
    ] = 1.0
    """The share of the training subjects whose labels are read, at least one of them."""
    epochs_per_subject: Annotated[
        Annotated[int, Field(ge=10)] | None,
        Shared("the trials of a block are scored on the same epochs"),
    ] = None
    """The most epochs of a subject that the probe reads, evenly spread; null: all."""

    def labelled(self, subjects: Collection[str], *, split: int, seed: int) -> tuple[str, ...]:
        """Return those of the training `subjects` whose labels the probe reads, sorted.

        The draw depends on the names, the number of the split and the seed of the splits (never a
        run's, so that runs on one split read the same labels); those of a smaller share are among
        those of a larger one.
        """
        names = sorted(subjects)
        order = numpy_generator("labelled subjects", split=split, seed=seed).permutation(len(names))
        count = max(1, round(self.label_fraction * len(names)))
        return tuple(sorted(names[place] for place in order[:count]))

    def choose(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of one subject that the probe reads, evenly spread over the nights."""
        if self.epochs_per_subject is None or len(rows) <= self.epochs_per_subject:
            return rows
        return spread_evenly(rows, self.epochs_per_subject)

    def fit(self, features: Features, stages: Stages, subjects: Subjects) -> "FittedProbe":
        """Fit on (epoch, latent_dim) features, stages 0–4 and the subject of each epoch.

        Features are standardised first. The optimiser is L-BFGS from zero, so equal input gives
        equal output. With one stage only there is nothing to fit: that stage is always predicted.
        """
        if len(np.unique(stages)) == 1:
            return _fitted(DummyClassifier(strategy="most_frequent"), features, stages)
        if self.kind == "knn":
            count = min(self.neighbours, len(stages))
            return _fitted(KNeighborsClassifier(count), features, stages)
        C = _chosen(features, stages, subjects) if self.C == "cross_validated" else self.C
        return _fitted(LogisticRegression(C=C, max_iter=500), features, stages)


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


def embed(network: nn.Module, epochs: NDArray[np.float32], batch_size: int = 256) -> Features:
    """Return what `network` makes of epochs (epoch, channel, time), such as their embeddings.

    Without dropout: the network is put into evaluation mode and stays there.
    """
    return embed_rows(network, lambda rows: epochs[rows], np.arange(len(epochs)), batch_size)


def embed_rows(
    network: nn.Module, gather: Gather, rows: NDArray[np.int64], batch_size: int = 256
) -> Features:
    """`embed` for the epochs that `gather` returns of `rows`, of which few are held at a time."""
    network.eval()
    device = next(network.parameters()).device

    def embedded(epochs: NDArray[np.float32]) -> Features:
        with torch.inference_mode():
            return network(torch.from_numpy(epochs).to(device)).float().cpu().numpy()  # type: ignore[no-any-return]

    return by_batches(embedded, gather, rows, batch_size)
