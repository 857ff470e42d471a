"""Classifiers: embeddings in, logits of the five stages out.

One class in one file each. A new file of this package is a new classifier: it is found by itself.
"""

from sleepsweep.learn.classifiers.base import (
    CLASSIFIERS,
    Classifier,
    ClassifierName,
    build_classifier,
)
from sleepsweep.learn.classifiers.linear import LinearClassifier
from sleepsweep.learn.registry import import_all

__all__ = [
    "CLASSIFIERS",
    "Classifier",
    "ClassifierName",
    "LinearClassifier",
    "build_classifier",
]

import_all(__name__, __path__)
