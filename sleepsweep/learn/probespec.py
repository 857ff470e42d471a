"""The YAML's ``probe``, apart from the probes: scikit-learn fits them and takes time to import."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sleepsweep.learn.rows import spread_evenly
from sleepsweep.part import PartSpec, Shared, later
from sleepsweep.seeds import numpy_generator

if TYPE_CHECKING:
    from sleepsweep.learn.probe import FittedProbe

Features = NDArray[np.float32]
Stages = NDArray[np.int8]
Subjects = NDArray[Any]


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
        from sleepsweep.learn.probe import fit

        return fit(self, features, stages, subjects)
