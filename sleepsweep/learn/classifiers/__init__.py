"""Classifiers: embeddings in, logits of the five stages out; each is one class in one file."""

from sleepsweep.learn.classifiers.base import (
    Classifier,
    ClassifierName,
    build_classifier,
    classifiers,
)
from sleepsweep.learn.classifiers.linear import LinearClassifier
from sleepsweep.learn.classifiers.mlp import MLPClassifier

__all__ = [
    "Classifier",
    "ClassifierName",
    "LinearClassifier",
    "MLPClassifier",
    "build_classifier",
    "classifiers",
]
