"""How far the stages lie apart, against how wide they are."""

import numpy as np
from sklearn.metrics import davies_bouldin_score, silhouette_score

from sleepsweep.latent.embedded import Points, Stages
from sleepsweep.latent.undefined import UndefinedError, need_labels, need_spread


def silhouette(points: Points, stages: Stages) -> float:
    """Mean over epochs of (b − a) / max(a, b): −1 to 1.

    a is the mean distance to the epochs of the same stage, b that to those of the nearest other
    stage (Rousseeuw 1987, J. Comput. Appl. Math. 20:53–65).
    """
    _need_groups(points, stages)
    return float(silhouette_score(points, stages))


def davies_bouldin(points: Points, stages: Stages) -> float:
    """Mean over stages of the largest (sᵢ + sⱼ) / dᵢⱼ: from 0.

    s is the mean distance of a stage's epochs to their centre, d the distance of two centres
    (Davies & Bouldin 1979, IEEE TPAMI 1:224–227).
    """
    _need_groups(points, stages)
    return float(davies_bouldin_score(points, stages))


def _need_groups(points: Points, stages: Stages) -> None:
    need_spread(points)
    need_labels(stages, "stage")
    if len(np.unique(stages)) == len(stages):
        raise UndefinedError("every stage has one epoch only")
